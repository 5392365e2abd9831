"""Lock loaded models in memory, if the system allows it.

Otherwise the system drops unused pages when memory is short, and the first word after a long
silence waits for the disk.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgevoice.resources import process_status

_log = logging.getLogger(__name__)

MLOCK_ONFAULT = 1
"""From Linux' <sys/mman.h>; the same on all architectures with Python wheels."""
HEAP_SIZE = 64 << 20
"""Bytes that glibc reserves for each heap of a thread on 64-bit systems."""
LOCK_BLOCK = 8 << 20
"""Bytes locked in one call. All at once blocks other allocations for 0.25 s, long enough for the
speaker to underrun."""


def lock_memory() -> bool:
    """Lock all memory that this process has used so far; False if that is not allowed.

    Reserved but unused memory is not locked. The locks end with the process.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mapped = _mapped()
        if not may_lock(sum(end - start for start, end in mapped)):
            return False
        _for_blocks(mapped, lock=True)
        return True
    except (OSError, AttributeError) as error:  # a C library without it
        _log.debug("memory cannot be locked: %s", error)
    return False


@contextmanager
def heap_unlocked() -> Iterator[None]:
    """Unlock the heap for the length of a block: Linux takes no freed page back that is locked."""
    if not process_status("VmLck"):
        yield
        return
    heap = _mapped(heap_only=True)
    _for_blocks(heap, lock=False)
    try:
        yield
    finally:
        _for_blocks(heap, lock=True)


def _for_blocks(regions: list[tuple[int, int]], *, lock: bool) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mlock2.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint]
    libc.munlock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    for start, end in regions:
        for address in range(start, end, LOCK_BLOCK):
            size = min(LOCK_BLOCK, end - address)
            if libc.mlock2(address, size, MLOCK_ONFAULT) if lock else libc.munlock(address, size):
                # Freed meanwhile, or a mapping of the kernel.
                _log.debug("%x: %s", address, os.strerror(ctypes.get_errno()))


def _mapped(heap_only: bool = False) -> list[tuple[int, int]]:
    """The readable memory of this process, as (first address, address after the last).

    With `heap_only`, only what malloc divides: the main heap, and the heaps of threads, which
    glibc places at multiples of HEAP_SIZE.
    """
    found = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, access, _, _, _, *name = line.split(maxsplit=5)
        start, end = (int(address, 16) for address in addresses.split("-"))
        is_heap = name == ["[heap]"] or (not name and start % HEAP_SIZE == 0)
        if access.startswith("r") and (is_heap or not heap_only):
            found.append((start, end))
    return found


def may_lock(size: int) -> bool:
    """Whether this process may lock `size` bytes; the test itself uses no memory."""
    if not sys.platform.startswith("linux"):
        return False
    import mmap

    try:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mlock2.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint]
        with mmap.mmap(-1, max(size, mmap.PAGESIZE)) as reserved:
            byte = ctypes.c_char.from_buffer(reserved)
            allowed = libc.mlock2(ctypes.addressof(byte), len(reserved), MLOCK_ONFAULT) == 0
            del byte  # otherwise the mapping cannot be closed
            return bool(allowed)
    except (OSError, AttributeError):
        return False


def described(size: int, wanted: bool) -> str:
    """A sentence for `doctor`: whether `size` bytes would stay in memory."""
    if not wanted:
        return "off (slm.lock_memory)"
    if may_lock(size):
        return "allowed: loaded models stay in memory"
    return "not allowed: after a long silence the first reply may wait for the disk"


def fetch_ahead(path: Path) -> None:
    """Ask the system to read a file into its cache in the background."""
    if hasattr(os, "posix_fadvise"):
        try:
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
        except OSError as error:
            _log.debug("%s is not read ahead: %s", path, error)
