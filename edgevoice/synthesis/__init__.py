"""The way out: from clauses to sound, and to what was heard of it."""
