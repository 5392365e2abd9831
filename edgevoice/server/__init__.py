"""The assistant for other devices in the house: a page, and sessions over the network."""
