"""How many cores and how much memory this process may use, as far as models are concerned."""

from __future__ import annotations

import os
from pathlib import Path

CONTROL_GROUP = Path("/sys/fs/cgroup")
"""Where the limits of a container are told."""
SPARE_MEMORY = 500_000_000
"""Bytes that a running assistant takes besides its models, and the system beside it."""


def cores() -> int:
    """Physical cores this process may run on, within its affinity and container quota; at least 1.

    Two threads of one core share what computes: models gain nothing from the second.
    """
    import psutil

    found = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        found = min(found, len(os.sched_getaffinity(0)))
    return max(1, min(found, granted_cores(CONTROL_GROUP / "cpu.max")))


def granted_cores(quota: Path) -> int:
    """Whole cores a control group's cpu.max grants; very many where it sets no limit."""
    try:
        granted, period = quota.read_text().split()[:2]
        return max(1, int(granted) // int(period))
    except (OSError, ValueError):
        return 1 << 16


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


def _container_limit() -> list[int]:
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            text = (CONTROL_GROUP / name).read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            return [int(text)]
    return []
