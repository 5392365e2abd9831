"""What opens over the conversation: help, choices and the question for a file name."""
