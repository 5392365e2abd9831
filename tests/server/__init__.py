"""Clients on the network."""
