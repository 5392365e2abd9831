"""What a lock file holds, requirement by requirement."""

from __future__ import annotations

import re
from pathlib import Path


class Pin:
    """One requirement of a lock: `text` is its lines as they stand, hashes included."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.name, self.version = re.match(r"([\w.-]+)==([^\s;\\]+)", text).groups()


def pins(lock: Path) -> list[Pin]:
    """The requirements of a lock file, in its order."""
    text = lock.read_text("utf-8")
    return [Pin(found) for found in re.findall(r"^\S+==(?:.*\\\n)*.*\n", text, re.MULTILINE)]
