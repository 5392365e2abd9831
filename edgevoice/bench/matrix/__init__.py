"""Sweeps: every combination of settings, each measured in a process of its own."""
