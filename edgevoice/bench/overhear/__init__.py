"""Sounds that are meant for nobody, and what the assistant makes of them."""
