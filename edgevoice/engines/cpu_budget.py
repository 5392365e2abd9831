"""Track which cores are in use, so that the language model runs as many threads as are free.

Two engines that use all cores at once get far less than half the speed each, because their threads
wait for each other at barriers. So each engine registers the cores it uses, and the language model
adapts its threads before each token. Other programs' use is measured. Figures: cpu-2026-11.
"""

from __future__ import annotations

import bisect
import itertools
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum

import psutil

from edgevoice.models import machine

SAMPLE_INTERVAL = 0.04
"""Seconds between two samples of other programs' processor time, which has a step of 0.01 s."""
YIELD_WINDOW, RECLAIM_WINDOW = 0.1, 0.3
"""Seconds averaged before a core is left to other programs, and before it is taken back."""
CANCEL_POLL = 0.02
"""Seconds between two checks whether waiting for a core is cancelled."""
GRACE = 0.02
"""Seconds after an urgent turn in which its owner may ask for the next one."""
YIELD_ABOVE, RECLAIM_BELOW = 0.35, 0.25
"""Share of a further core above which others get it, and below which they lose it.

Well below 1: beside two of our threads on two cores, another thread gets at most 0.67 of a core.
"""


class Priority(IntEnum):
    """The order of language models' turns to compute."""

    URGENT = 0
    """What is heard next: the prompt and the beginning of a reply."""
    AHEAD = 1
    """The rest of a reply, which is spoken more slowly than written, and prefill during speech."""
    IDLE = 2
    """Prefill that nothing waits for yet."""


class CpuBudget:
    """The use of `cores` cores. Every method may be called from any thread.

    `used_by_others` returns the processor seconds of other programs so far, `now` the time in
    seconds.
    """

    def __init__(
        self,
        cores: int,
        used_by_others: Callable[[], float],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.all = cores
        self._used_by_others = used_by_others
        self._now = now
        self._lock = threading.Condition()
        self._taken = 0
        self._reserved: dict[object, int] = {}
        self._computing = False
        self._queue: list[tuple[Priority, int]] = []
        self._places = itertools.count()
        self._urgent: tuple[object, float] = (None, now())
        """Who had the last urgent turn, and until when other work ahead waits."""
        self._others_cores = 0
        self._samples: deque[tuple[float, float]] = deque([(now(), used_by_others())])

    @contextmanager
    def turn(self, owner: object, priority: Priority) -> Iterator[None]:
        """Wait until it is the turn of `owner` to compute on all free cores, as long as the block.

        One language model computes at a time, in the order of priority, then of asking. After an
        urgent turn, other sessions' work ahead waits a moment: another urgent turn often follows.
        """
        with self._lock:
            place = (priority, next(self._places))
            bisect.insort(self._queue, place)
            try:
                while (
                    self._computing or self._queue[0] != place or self._soon_again(owner, priority)
                ):
                    self._lock.wait(None if self._computing else GRACE)
            finally:
                self._queue.remove(place)
            self._computing = True
        try:
            yield
        finally:
            with self._lock:
                self._computing = False
                if priority is Priority.URGENT:
                    self._urgent = (owner, self._now() + GRACE)
                self._lock.notify_all()

    @property
    def waiting(self) -> int:
        """Number of turns that are asked for and have not begun."""
        return len(self._queue)

    def _soon_again(self, owner: object, priority: Priority) -> bool:
        other, until = self._urgent
        return priority is not Priority.URGENT and other is not owner and self._now() < until

    @contextmanager
    def taken(self, count: int) -> Iterator[None]:
        """Register `count` cores as used while the block runs. Never waits."""
        with self._lock:
            self._taken += count
            self._sample()
        try:
            yield
        finally:
            with self._lock:
                self._taken -= count
                self._lock.notify_all()

    def reserve(self, count: int, owner: object = None) -> None:
        """Reserve `count` cores until the next call for `owner`; owners reserve the same ones."""
        with self._lock:
            self._reserved.pop(owner, None)
            if count:
                self._reserved[owner] = count

    def left(self, reserved_too: bool = False) -> int:
        """Free cores, at least 1; with `reserved_too`, reserved cores count as free."""
        with self._lock:
            self._sample()
            kept = 0 if reserved_too else max(self._reserved.values(), default=0)
            return max(1, self.all - max(self._taken, kept) - self._others_cores)

    def wait_for_one(self, cancelled: Callable[[], bool]) -> None:
        """Wait while our engines use every core, until `cancelled` returns True."""
        with self._lock:
            while self._taken >= self.all and not cancelled():
                self._lock.wait(CANCEL_POLL)

    def _sample(self) -> None:
        now = self._now()
        if now - self._samples[-1][0] < SAMPLE_INTERVAL:
            return
        self._samples.append((now, self._used_by_others()))
        while len(self._samples) > 2 and self._samples[1][0] <= now - RECLAIM_WINDOW:
            self._samples.popleft()
        recent, longer = self._mean(YIELD_WINDOW), self._mean(RECLAIM_WINDOW)
        while recent > self._others_cores + YIELD_ABOVE and self._others_cores < self.all:
            self._others_cores += 1
        while (
            self._others_cores > 0 and max(recent, longer) < self._others_cores - 1 + RECLAIM_BELOW
        ):
            self._others_cores -= 1

    def _mean(self, seconds: float) -> float:
        """Cores that other programs used on average over the last `seconds`."""
        now, had = self._samples[-1]
        then, before = next(
            (look for look in reversed(self._samples) if look[0] <= now - seconds), self._samples[0]
        )
        return (
            (had - before) / (now - then)
            if now - then >= YIELD_WINDOW / 2
            else float(self._others_cores)
        )


def used_elsewhere() -> float:
    """Processor seconds of other programs on the cores that this process may use.

    Programs of lower priority do not count: they make room by themselves. Android hides the times;
    then there are no other programs.
    """
    try:
        times = psutil.cpu_times(percpu=True)
    except (OSError, psutil.Error, ValueError, IndexError):
        return 0.0
    if hasattr(os, "sched_getaffinity"):
        ours = os.sched_getaffinity(0)
        times = [cpu for number, cpu in enumerate(times) if number in ours]
    kinds = ["user", "system", "irq", "softirq", "steal"]
    # A nice process has its own time there. Not PID 0, which means the calling thread.
    if hasattr(os, "getpriority") and os.getpriority(os.PRIO_PROCESS, os.getpid()) > 0:
        kinds.append("nice")
    busy = sum(getattr(cpu, kind, 0.0) for cpu in times for kind in kinds)
    return float(busy) - time.process_time()


cores = CpuBudget(machine.cores(), used_elsewhere)
"""The budget of this process."""
