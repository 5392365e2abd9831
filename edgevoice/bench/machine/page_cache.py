"""Dropping files from the page cache without root."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path


def may_drop() -> bool:
    """Whether any user can drop files from the cache on this system."""
    return sys.platform.startswith("linux") and hasattr(os, "posix_fadvise")


def drop(paths: Iterable[Path]) -> bool:
    """Ask the system to drop these files; false where it cannot be asked."""
    try:
        for path in paths if may_drop() else ():
            with path.open("rb") as file:
                os.fdatasync(file.fileno())  # what is not yet on disk cannot be dropped
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError:
        return False
    return may_drop()
