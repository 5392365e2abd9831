"""The terminal screen, the only package that imports Textual."""
