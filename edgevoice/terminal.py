"""What a stream's terminal can do."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def redraws(stream: TextIO) -> bool:
    """Whether `stream` is a terminal on which what was written can be drawn anew."""
    if not stream.isatty():
        return False
    return sys.platform == "win32" or os.environ.get("TERM", "dumb") != "dumb"
