"""The cores and the memory that this process may use."""

from __future__ import annotations

import os
from pathlib import Path

CONTROL_GROUP = Path("/sys/fs/cgroup")
"""The folder with a container's limits."""
SPARE_MEMORY = 500_000_000
"""Bytes that a running assistant and the system need besides the models."""


def cores() -> int:
    """Physical cores within this process's affinity and container quota; at least 1.

    Hardware threads of one core share its arithmetic units, so models gain nothing from a second.
    """
    import psutil

    found = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        found = min(found, len(os.sched_getaffinity(0)))
    return max(1, min(found, granted_cores(CONTROL_GROUP / "cpu.max")))


def granted_cores(quota: Path) -> int:
    """Whole cores that a control group's cpu.max grants; a very large number without a limit."""
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
    """Bytes that can be allocated without swapping out other programs."""
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
