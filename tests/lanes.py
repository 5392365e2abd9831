"""A pytest plugin for tests that run in parallel: how many workers, and each on one processor.

Engines compute on all processors that they may use. Two workers that do so at the same time wait
for each other's threads and take several times as long.
"""

from __future__ import annotations

import os


def pytest_xdist_auto_num_workers() -> int:
    """Two a processor: a conversation, a screen and a started process often wait."""
    return 2 * (os.cpu_count() or 1)


def pytest_configure() -> None:
    """Bind a worker, and with it every process that it starts, to one processor."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker and hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[int(worker) % len(processors)]})
