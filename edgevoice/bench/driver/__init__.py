"""Plays questions into the pipeline, and measures the answers."""
