"""What the system keeps of files in memory after they were read, and how it is made to let go.

Without a right that only root has, a program can ask that for files it may read, one by one
(posix_fadvise, on Linux). Whether it was done can be seen (mincore); where nothing tells, that is
said.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np


def may_drop() -> bool:
    """Whether this system takes such wishes from everybody."""
    return sys.platform.startswith("linux") and hasattr(os, "posix_fadvise")


def drop(paths: Iterable[Path]) -> bool:
    """Ask that nothing of these files stays in memory; false where that cannot be asked."""
    if not may_drop():
        return False
    for path in paths:
        try:
            with path.open("rb") as file:
                # What is not yet on the disk cannot be let go of.
                os.fdatasync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        except OSError:
            return False
    return True


def cached(paths: Iterable[Path]) -> float | None:
    """Which share of the bytes of these files is in memory; None where the system does not tell."""
    there = whole = 0
    for path in paths:
        found = _pages(path)
        if found is None:
            return None
        there, whole = there + found[0], whole + found[1]
    return there / whole if whole else None


def _pages(path: Path) -> tuple[int, int] | None:
    """How many pages of the file are in memory, and how many it has."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if not size:
                return 0, 0
            count = -(-size // mmap.PAGESIZE)
            with mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ) as mapped:
                told = (ctypes.c_ubyte * count)()
                view = np.frombuffer(mapped, dtype=np.uint8)
                address = ctypes.c_void_p(view.ctypes.data)
                failed = libc.mincore(address, ctypes.c_size_t(size), told)
                del view  # or the mapping could not be closed
        if failed:
            return None
        return sum(byte & 1 for byte in bytes(told)), count
    except (OSError, ValueError, AttributeError):  # a C library without it
        return None
