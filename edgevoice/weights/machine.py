"""How many cores and how much memory this process may use, as far as models are concerned."""

from __future__ import annotations

import os
from pathlib import Path


def cores() -> int:
    """Processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def total_memory() -> int:
    """Bytes of memory of the machine, or of the container if that has fewer."""
    import psutil

    return min([int(psutil.virtual_memory().total), *_container_limit()])


def free_memory() -> int:
    """Bytes that can still be had without pushing out other programs' memory."""
    import psutil

    free = int(psutil.virtual_memory().available)
    if limit := _container_limit():
        free = min(free, limit[0] - int(psutil.Process().memory_info().rss))
    return max(free, 0)


def _container_limit(root: Path = Path("/sys/fs/cgroup")) -> list[int]:
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            text = (root / name).read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            return [int(text)]
    return []
