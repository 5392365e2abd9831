"""Unattended sessions: visitors, opening hours, health, and the files that start them."""
