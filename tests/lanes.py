"""A pytest plugin for tests that run in parallel: how many workers, and each on one processor.

Engines compute on all processors that they may use. Two workers that do so at the same time wait
for each other's threads and take several times as long.
"""

from __future__ import annotations

import gc
import os

import pytest


def pytest_xdist_auto_num_workers() -> int:
    """Two a processor: a conversation, a screen and a started process often wait."""
    return 2 * (os.cpu_count() or 1)


def pytest_configure() -> None:
    """Bind a worker, and with it every process that it starts, to one processor."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker and hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[int(worker) % len(processors)]})


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each worker's share begin with its long tests, so that none is left for the end."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [item for item in items if any(map(item.get_closest_marker, ("slow", "models")))]
    known = set(long)
    short = [item for item in items if item not in known]
    items[:] = [
        item
        for worker in range(workers)
        for kind in (long, short)
        for item in kind[len(kind) * worker // workers : len(kind) * (worker + 1) // workers]
    ]


def pytest_collection_finish() -> None:
    """Let the collector pass over what every test shares, and look less often."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
