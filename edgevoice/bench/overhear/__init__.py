"""How often the assistant answers sounds that are not meant for it."""
