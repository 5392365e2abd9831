"""Turns that are kept to be run again: their files, their folder, and who fills it."""
