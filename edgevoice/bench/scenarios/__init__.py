"""Scenarios: who speaks when in which room, what must happen, and what did."""
