"""How many threads an engine may run: one for each core that is there, ours and whole."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cores() -> int:
    """Physical cores this process may run on, within its affinity and container quota; at least 1.

    One thread more than that is not a little slower but many times: the engines' barriers spin
    until the scheduler gives the waiting thread its turn.
    """
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = min(cores, len(os.sched_getaffinity(0)))
    return max(1, min(cores, granted_cores(QUOTA)))


def granted_cores(quota: Path) -> int:
    """Whole cores a control group's cpu.max grants; very many where it sets no limit."""
    try:
        granted, period = quota.read_text().split()[:2]
        return max(1, int(granted) // int(period))
    except (OSError, ValueError):
        return 1 << 16
