"""Dropping files from the page cache without root, and measuring how much of them is in it."""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np


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


def cached(paths: Iterable[Path]) -> float | None:
    """The share of these files that is in memory, 0 to 1; None where the system does not tell."""
    there = whole = 0
    if not sys.platform.startswith("linux"):
        return None
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        for path in paths:
            if size := path.stat().st_size:
                pages = (ctypes.c_ubyte * -(-size // mmap.PAGESIZE))()
                with (
                    path.open("rb") as file,
                    mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ) as mapped,
                ):
                    view = np.frombuffer(mapped, dtype=np.uint8)
                    address = ctypes.c_void_p(view.ctypes.data)
                    failed = libc.mincore(address, ctypes.c_size_t(size), pages)
                    del view  # an open view keeps the mapping from closing
                if failed:
                    return None
                there += sum(page & 1 for page in bytes(pages))
                whole += len(pages)
    except (OSError, ValueError, AttributeError):  # a C library without mincore
        return None
    return there / whole if whole else None
