"""What the screen is made of; each shows a Scene and redraws only when what it shows changed."""
