"""The result of a bench: its JSON file, its figures, and how both are written as text."""
