"""Microphones and speakers: sound devices, simulated devices, and recovery of lost devices."""
