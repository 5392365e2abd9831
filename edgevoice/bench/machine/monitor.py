"""The device while a bench runs: sampled once a second, and read before and after each turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from edgevoice.bench.machine import sensors
from edgevoice.bench.result.device_record import Sample
from edgevoice.clock import Clock

EVERY = 1.0
"""Seconds from one sample to the next."""
STEADY = 4
"""Samples at least, for memory to be called steady."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor seconds of this process and joules, since some moment; None: not measured."""

    cpu_seconds: float | None = None
    energy: float | None = None

    def since(self, before: Spent) -> Spent:
        """What was spent between two readings."""
        return Spent(_less(self.cpu_seconds, before.cpu_seconds), _less(self.energy, before.energy))


NOTHING = Spent()

Meter = Callable[[], Spent]
"""Tells what was spent so far."""


def unmeasured() -> Spent:
    """A meter that knows nothing."""
    return NOTHING


def _less(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before


class DeviceMonitor:
    """This process, and whatever sensors the machine below `root` has. Usable by any thread."""

    def __init__(self, root: Path = Path("/"), vcgencmd: str | None = None) -> None:
        self._process = psutil.Process()
        self._lock = threading.Lock()
        self._temperature = sensors.temperature(root)
        self._clock = sensors.clock(root)
        self._throttled = sensors.throttled(root, vcgencmd)
        self._energy, self._fine = sensors.energy(root)

    @property
    def sources(self) -> dict[str, str | None]:
        """Where each quantity is read; None: the machine does not offer it."""
        found = {
            "temperature": self._temperature,
            "clock": self._clock,
            "throttled": self._throttled,
            "energy": self._energy,
        }
        return {name: sensor.source if sensor else None for name, sensor in found.items()}

    def sample(self, t: float) -> Sample:
        """Everything there is to be told at session time `t`."""
        with self._lock:
            return Sample(
                t=round(t, 3),
                rss=int(self._process.memory_info().rss),
                cpu_seconds=round(time.process_time(), 3),
                threads=_counted(self._process, "num_threads"),
                handles=_counted(self._process, "num_fds", "num_handles"),
                temperature=_rounded(_read(self._temperature), 1),
                clock=_rounded(_read(self._clock), 0),
                throttled=_read(self._throttled),
                energy=_rounded(_read(self._energy), 3),
            )

    def spent(self) -> Spent:
        """What was spent so far; joules only where they are counted finely enough for a turn."""
        with self._lock:
            return Spent(time.process_time(), _read(self._energy) if self._fine else None)


def _read(sensor: sensors.Sensor[sensors.T] | None) -> sensors.T | None:
    return sensor.read() if sensor else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _counted(process: Any, *names: str) -> int | None:
    """What the first of these methods gives that there is on this system."""
    for name in names:
        if hasattr(process, name):
            try:
                return int(getattr(process, name)())
            except (OSError, psutil.Error):
                return None
    return None


class DeviceSampler:
    """Samples of `device` for as long as the block lasts, the first at once."""

    def __init__(self, device: DeviceMonitor, clock: Clock, every: float = EVERY) -> None:
        self.device = device
        self.samples: list[Sample] = []
        self._clock = clock
        self._every = every
        self._monitor = clock.monitor()
        self._over = False

    def __enter__(self) -> DeviceSampler:
        self._take()
        self._task = self._clock.spawn(self._run, "device")
        return self

    def __exit__(self, *exc: object) -> None:
        with self._monitor:
            self._over = True
            self._monitor.notify_all()
        self._task.join()

    def _run(self) -> None:
        due = self._clock.now()
        while True:
            # Not from the last sample on: what a sample takes would add up.
            due = max(due + self._every, self._clock.now())
            with self._monitor:
                if self._monitor.wait_for(lambda: self._over, max(0.0, due - self._clock.now())):
                    return
            self._take()

    def _take(self) -> None:
        self.samples.append(self.device.sample(self._clock.now()))


def steady_rss(samples: Sequence[Sample]) -> int | None:
    """Bytes that were held in the second half of the samples, their median; None of too few."""
    later = samples[len(samples) // 2 :]
    return round(median(sample.rss for sample in later)) if len(samples) >= STEADY else None
