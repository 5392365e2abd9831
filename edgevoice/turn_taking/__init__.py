"""Who has the floor: whose turn it is, when it has ended, and what an interruption is."""
