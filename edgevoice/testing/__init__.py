"""Test doubles for those who build on edgevoice: a virtual clock and scripted engines."""
