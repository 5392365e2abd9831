"""The engines: one file for each library, and what they share."""
