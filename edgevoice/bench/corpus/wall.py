"""The date and time that the language model is told in a bench."""

from __future__ import annotations

import datetime

WALL = datetime.datetime(2026, 10, 14, 15, 24)
"""Always the same, so that the same question gets the same reply. A Wednesday."""
