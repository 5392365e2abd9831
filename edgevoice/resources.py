"""What this process takes of the machine."""

from __future__ import annotations

from collections.abc import Callable

import psutil

from edgevoice import events as ev


def meter() -> Callable[[], ev.Resources]:
    """A function that reads CPU (percent of one core since the last call) and memory (bytes)."""
    process = psutil.Process()
    process.cpu_percent()

    def read() -> ev.Resources:
        return ev.Resources(cpu=process.cpu_percent(), rss=process.memory_info().rss)

    return read
