"""What the assistant does itself: instant intents, timers, and skills of the user's own."""
