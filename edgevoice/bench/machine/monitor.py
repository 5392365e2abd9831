"""The device while a bench runs: sampled once a second, and read before and after each turn."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from edgevoice.bench.machine import sensors
from edgevoice.bench.result.device_record import Sample
from edgevoice.clock import Clock

SAMPLE_EVERY = 1.0  # seconds from one sample to the next
STEADY_SAMPLES = 4  # fewer samples do not tell how much memory is held


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds of this process and joules, since some moment; None: not measured."""

    cpu_seconds: float | None = None
    energy: float | None = None

    def since(self, before: Spent) -> Spent:
        """What was spent between two readings."""
        return Spent(_less(self.cpu_seconds, before.cpu_seconds), _less(self.energy, before.energy))


Meter = Callable[[], Spent]
"""What was spent so far."""


def _less(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before


class OtherProcesses:
    """CPU seconds that were not spent by this process, nor by those it started, since it began.

    In a virtual machine this includes what the host gave to others (steal).
    """

    def __init__(self) -> None:
        self._cores = psutil.cpu_count() or 1
        self._began, self._own, self._idle = self._read()

    def __call__(self) -> float:
        now, own, idle = self._read()
        busy = (now - self._began) * self._cores - (idle - self._idle)
        return max(0.0, busy - (own - self._own))

    def _read(self) -> tuple[float, float, float]:
        times = psutil.cpu_times()
        # Those it started count once they have ended.
        own = sum(os.times()[:4])
        return time.monotonic(), own, times.idle + getattr(times, "iowait", 0.0)


class DeviceMonitor:
    """This process, and the sensors of the machine below `root`. Usable by any thread."""

    def __init__(self, root: Path = Path("/"), vcgencmd: str | None = None) -> None:
        self._process = psutil.Process()
        self._lock = threading.Lock()
        self._others = OtherProcesses()
        self._temperature = sensors.temperature(root)
        self._clock = sensors.clock(root)
        self._throttled = sensors.throttled(root, vcgencmd)
        self._energy = sensors.energy(root)

    @property
    def sources(self) -> dict[str, str | None]:
        """Where each quantity is read; None: the machine does not report it."""
        names = ("temperature", "clock", "throttled", "energy")
        found = (self._temperature, self._clock, self._throttled, self._energy)
        return {
            name: sensor.source if sensor else None
            for name, sensor in zip(names, found, strict=True)
        }

    def sample(self, t: float) -> Sample:
        """Everything that can be read at session time `t`."""
        with self._lock:
            return Sample(
                t=round(t, 3),
                rss=int(self._process.memory_info().rss),
                cpu_seconds=round(time.process_time(), 3),
                other_cpu_seconds=round(self._others(), 2),
                threads=self._counted("num_threads"),
                handles=self._counted("num_fds", "num_handles"),
                temperature=_rounded(_read(self._temperature), 1),
                clock=_rounded(_read(self._clock), 0),
                throttled=_read(self._throttled),
                energy=_rounded(_read(self._energy), 3),
            )

    def spent(self) -> Spent:
        """What was spent so far."""
        with self._lock:
            return Spent(time.process_time(), _read(self._energy))

    def _counted(self, *names: str) -> int | None:
        """The result of the first of these methods that this system has."""
        for count in (getattr(self._process, name, None) for name in names):
            if count is not None:
                try:
                    return int(count())
                except (OSError, psutil.Error):
                    return None
        return None


def _read(sensor: sensors.Sensor[sensors.T] | None) -> sensors.T | None:
    return sensor.read() if sensor else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


class DeviceSampler:
    """Samples of `device` for as long as the block lasts, the first at once."""

    def __init__(self, device: DeviceMonitor, clock: Clock, every: float = SAMPLE_EVERY) -> None:
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
            # Not counted from the last sample: the time it takes would add up.
            due = max(due + self._every, self._clock.now())
            with self._monitor:
                if self._monitor.wait_for(lambda: self._over, max(0.0, due - self._clock.now())):
                    return
            self._take()

    def _take(self) -> None:
        self.samples.append(self.device.sample(self._clock.now()))


def steady_rss(samples: Sequence[Sample]) -> int | None:
    """Median memory in the second half of the samples, in bytes; None with too few samples."""
    later = samples[len(samples) // 2 :]
    return round(median(sample.rss for sample in later)) if len(samples) >= STEADY_SAMPLES else None
