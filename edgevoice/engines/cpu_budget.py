"""The ledger of cores: who computes right now, and so how many threads the language model may run.

Two engines that both want every core do not get half the speed each but far less: their threads
wait for each other at barriers while the other engine's threads have the cores. So whoever is
about to compute writes down how many cores that takes, and the language model, which can change
its number of threads from one token to the next, takes what is left. Other programs write nothing
down; what they take is seen from the machine's own account of busy time.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

from edgevoice.models import machine

LOOK = 0.04
"""Seconds between two looks at what other programs take. The account is kept in steps of 0.01."""
SOON, SURE = 0.1, 0.3
"""Seconds looked back on before a core is left to others, and before it is taken back."""
GIVEN_UP = 0.02
"""Seconds between two questions whether waiting for a core is given up."""
BUSY, FREE = 0.35, 0.25
"""How much of one more core others must take to get it, and how little to lose it again.

Two threads of ours and one of theirs on two cores: theirs gets no more than two thirds of a core,
so waiting for a whole one would be waiting for ever.
"""


class CpuBudget:
    """The account of `cores` cores. Every method may be called from any thread.

    `elsewhere` tells the seconds of processor time other programs have had so far, `now` the time.
    """

    def __init__(
        self,
        cores: int,
        elsewhere: Callable[[], float],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.all = cores
        self._elsewhere = elsewhere
        self._now = now
        self._lock = threading.Condition()
        self._taken = 0
        self._reserved = 0
        self._others = 0
        self._looks: deque[tuple[float, float]] = deque([(now(), elsewhere())])

    @contextmanager
    def taken(self, count: int) -> Iterator[None]:
        """Take `count` cores for as long as the block runs. Never waits."""
        with self._lock:
            self._taken += count
            self._look()
        try:
            yield
        finally:
            with self._lock:
                self._taken -= count
                self._lock.notify_all()

    def reserve(self, count: int) -> None:
        """Keep so many cores for those who take them now and then, until told otherwise."""
        with self._lock:
            self._reserved = count

    def left(self, reserved_too: bool = False) -> int:
        """How many cores nobody has taken or reserved, nor other programs have; at least 1."""
        with self._lock:
            self._look()
            kept = 0 if reserved_too else self._reserved
            return max(1, self.all - max(self._taken, kept) - self._others)

    def wait_for_one(self, given_up: Callable[[], bool]) -> None:
        """Wait while our own stages have taken every core, unless that is `given_up`."""
        with self._lock:
            while self._taken >= self.all and not given_up():
                self._lock.wait(GIVEN_UP)

    def _look(self) -> None:
        now = self._now()
        if now - self._looks[-1][0] < LOOK:
            return
        self._looks.append((now, self._elsewhere()))
        while len(self._looks) > 2 and self._looks[1][0] <= now - SURE:
            self._looks.popleft()
        soon, sure = self._mean(SOON), self._mean(SURE)
        while soon > self._others + BUSY and self._others < self.all:
            self._others += 1
        while self._others > 0 and max(soon, sure) < self._others - 1 + FREE:
            self._others -= 1

    def _mean(self, seconds: float) -> float:
        """Cores that others had over the last `seconds`, or since the look before that."""
        now, had = self._looks[-1]
        then, before = next(
            (look for look in reversed(self._looks) if look[0] <= now - seconds), self._looks[0]
        )
        return (had - before) / (now - then) if now - then >= SOON / 2 else float(self._others)


def used_elsewhere() -> float:
    """Seconds of processor time that other programs have had on the cores we may use.

    What runs at a lower priority than ours does not count: it makes way.
    """
    times = psutil.cpu_times(percpu=True)
    if hasattr(os, "sched_getaffinity"):
        ours = os.sched_getaffinity(0)
        times = [cpu for number, cpu in enumerate(times) if number in ours]
    kinds = ["user", "system", "irq", "softirq", "steal"]
    # Where our own time is, too, if all of this process is nice; 0 would mean the calling thread.
    if hasattr(os, "getpriority") and os.getpriority(os.PRIO_PROCESS, os.getpid()) > 0:
        kinds.append("nice")
    busy = sum(getattr(cpu, kind, 0.0) for cpu in times for kind in kinds)
    return float(busy) - time.process_time()


cores = CpuBudget(machine.cores(), used_elsewhere)
"""The one account of this process."""
