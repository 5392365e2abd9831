"""Recorded turns, asked again and compared with what was recorded."""
