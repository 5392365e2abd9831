"""Conversations of more than one: scenarios of who speaks when, in a room that can be heard."""
