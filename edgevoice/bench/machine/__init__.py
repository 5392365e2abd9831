"""The machine that a bench runs on: what it is, and its state while it works."""
