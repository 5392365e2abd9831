"""Keeping in memory what has been loaded, where the system lets us.

What nobody has used for a while is the first to go when memory is short, and then the first word
after a long silence waits for the disk.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from pathlib import Path

_log = logging.getLogger(__name__)

MLOCK_ONFAULT = 1
"""From Linux' <sys/mman.h>; the same on every architecture that Python wheels exist for."""
STEP = 8 << 20
"""Bytes pinned in one call. While the kernel is at it nobody of us gets new memory; with all at
once that was a quarter of a second, in which the speaker ran dry."""


def lock_memory() -> bool:
    """Pin everything this process has touched so far; False where that is not allowed.

    Only what has been used is pinned, not what is merely reserved. Locks are dropped when the
    process ends.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mapped = _mapped()
        if not may_lock(sum(end - start for start, end in mapped)):
            return False
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mlock2.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint]
        for start, end in mapped:
            for address in range(start, end, STEP):
                if libc.mlock2(address, min(STEP, end - address), MLOCK_ONFAULT):
                    # Freed since, or one of the kernel's own.
                    _log.debug("%x is not pinned: %s", address, os.strerror(ctypes.get_errno()))
        return True
    except (OSError, AttributeError) as error:  # a C library without it
        _log.debug("memory cannot be locked: %s", error)
    return False


def _mapped() -> list[tuple[int, int]]:
    """Where this process has memory that it may read: first address, and the one after the last."""
    found = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, access = line.split(maxsplit=2)[:2]
        if access.startswith("r"):
            start, end = addresses.split("-")
            found.append((int(start, 16), int(end, 16)))
    return found


def may_lock(size: int) -> bool:
    """Whether a process of ours may pin `size` bytes. Takes no memory to find out."""
    if not sys.platform.startswith("linux"):
        return False
    import mmap

    try:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mlock2.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint]
        with mmap.mmap(-1, max(size, mmap.PAGESIZE)) as reserved:
            byte = ctypes.c_char.from_buffer(reserved)
            allowed = libc.mlock2(ctypes.addressof(byte), len(reserved), MLOCK_ONFAULT) == 0
            del byte  # or the mapping could not be closed
            return bool(allowed)
    except (OSError, AttributeError):
        return False


def described(size: int, wanted: bool) -> str:
    """Whether `size` bytes would stay in memory here, in words."""
    if not wanted:
        return "off (slm.lock_memory)"
    if may_lock(size):
        return "allowed: what is loaded stays in memory"
    return "not allowed: after a long silence the first answer may wait for the disk"


def fetch_ahead(path: Path) -> None:
    """Ask the system to read a file into its cache while we do other things."""
    if hasattr(os, "posix_fadvise"):
        try:
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
        except OSError as error:
            _log.debug("%s is not read ahead: %s", path, error)
