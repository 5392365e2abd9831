"""The terminal screen; the only part of edgevoice that knows Textual."""
