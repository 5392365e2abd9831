"""CPU and memory of this process."""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

from edgevoice import events as ev

M_ARENA_MAX = -8
"""From glibc's <malloc.h>."""
HEAPS = 2
"""Heaps of the process (cpu-2026-11); glibc's own limit is eight for each core."""


def meter() -> Callable[[], ev.Resources]:
    """A function that reads CPU (percent of one core since the last call) and memory (bytes)."""
    process = psutil.Process()
    process.cpu_percent()

    def read() -> ev.Resources:
        return ev.Resources(cpu=process.cpu_percent(), rss=process.memory_info().rss)

    return read


def process_status(name: str) -> int | None:
    """Bytes in a line of Linux' /proc/self/status, for example `VmHWM`; None if there is none."""
    try:
        found = re.search(rf"^{name}:\s*(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


def free_memory() -> bool:
    """Give freed memory back to the system; False if there is none, or no way to do so.

    glibc keeps what a thread has freed for the next request. This takes 3 to 12 ms, in which a
    thread that needs memory may wait: call it between turns.
    Locked pages stay (`engines.mlock.heap_unlocked`).
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        return bool(ctypes.CDLL(None).malloc_trim(ctypes.c_size_t(0)))
    except (OSError, AttributeError):  # another C library, as musl
        return False


def share_heaps() -> bool:
    """Have the threads share HEAPS heaps; False if there is no way to say so.

    With a heap for each thread, the gaps in all of them add up over a conversation. Only threads
    that have not allocated yet are affected: call it before engines are loaded.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        return bool(ctypes.CDLL(None).mallopt(M_ARENA_MAX, HEAPS))
    except (OSError, AttributeError):  # another C library
        return False
