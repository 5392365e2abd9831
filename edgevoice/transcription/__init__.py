"""From sound to what was said, while it is still being said."""
