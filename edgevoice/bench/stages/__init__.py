"""Stages measured alone, and starts of the program."""
