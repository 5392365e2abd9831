"""How many everyday questions the language model answers correctly."""
