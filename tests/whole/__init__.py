"""Whole conversations on the real starter models."""
