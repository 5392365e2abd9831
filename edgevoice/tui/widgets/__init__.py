"""The widgets of the screen; each shows a part of a Scene, and redraws only when it changed."""
