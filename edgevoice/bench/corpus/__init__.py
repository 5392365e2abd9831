"""The questions of a bench, and everything that must be there before it begins."""
