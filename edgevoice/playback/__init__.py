"""Audio to the speaker, and what was heard of it."""
