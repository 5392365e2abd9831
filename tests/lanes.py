"""A pytest plugin that gives each parallel worker a processor of its own.

Engines compute on all processors that they may use. Two workers that do so at the same time wait
for each other's threads and take several times as long.
"""

from __future__ import annotations

import os


def pytest_configure() -> None:
    """Bind a worker, and with it every process that it starts, to one processor."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker and hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[int(worker) % len(processors)]})
