"""Turns for hours: whether speed, memory and answers stay as they were."""
