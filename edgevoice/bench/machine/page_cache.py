"""Dropping files from the page cache without root."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def drop(paths: Iterable[Path]) -> bool:
    """Ask the system to drop these files; false where it cannot be asked."""
    if not hasattr(os, "posix_fadvise"):
        return False
    try:
        for path in paths:
            with path.open("rb") as file:
                os.fdatasync(file.fileno())  # what is not yet on disk cannot be dropped
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError:
        return False
    return True
