"""Text that would command a terminal, if it got there as it is."""

from __future__ import annotations

import re

CLIPBOARD = "\x1b]52;c;ZXZpbA==\x07"
EVIL = f"evil{CLIPBOARD}\x9d0;title\x9c\x1b[2J\x9b31m\u202e\u2066\x00\x08\x7f\x85\r[red]text[/red]"
"""Writes the clipboard, sets a title, clears the screen, turns letters around, goes back."""
COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What no terminal may be given."""
