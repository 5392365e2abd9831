"""Screens that open over the conversation: help, choices, and saving a trace."""
