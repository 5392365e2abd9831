"""Watch battery and heat: compute on fewer cores, then pause, before the system slows everything.

A machine that does not tell its temperature or battery is not watched for that.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import psutil

from edgevoice import events as ev
from edgevoice.bus import Bus
from edgevoice.clock import Clock
from edgevoice.settings import PowerSettings

INTERVAL = 10.0
"""Seconds between two readings."""
PERCENT_BACK, DEGREES_BACK, DEGREES_TO_PAUSE = 3.0, 5.0, 10.0
"""What must be gained before a step is taken back, and how much hotter than `hot_c` is a pause."""
FAST = 0.6
"""A core at least this fast, in relation to the fastest, is a fast one."""

PowerLevel = Literal["normal", "spare", "pause"]
LEVELS: tuple[PowerLevel, ...] = ("normal", "spare", "pause")


@dataclass(frozen=True)
class PowerReading:
    """Battery in percent and heat in °C; None where the machine does not tell."""

    percent: float | None = None
    plugged: bool = True
    celsius: float | None = None

    def __str__(self) -> str:
        known = []
        if self.percent is not None and not self.plugged:
            known.append(f"battery {self.percent:.0f} %")
        if self.celsius is not None:
            known.append(f"{self.celsius:.0f} °C")
        return ", ".join(known)


def read_power() -> PowerReading:
    """The battery and the hottest sensor."""
    sensors: dict[str, list[Any]] = getattr(psutil, "sensors_temperatures", dict)()
    degrees = [one.current for group in sensors.values() for one in group if one.current]
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    return PowerReading(
        battery.percent if battery else None,
        battery is None or battery.power_plugged is not False,
        round(max(degrees), 1) if degrees else None,
    )


def level(reading: PowerReading, settings: PowerSettings, before: PowerLevel) -> PowerLevel:
    """What to do at `reading`; a step is taken back only once the reading is clearly better."""
    reached = _level(reading, settings, 0.0)
    if LEVELS.index(reached) >= LEVELS.index(before):
        return reached
    with_margin = _level(reading, settings, 1.0)
    return before if LEVELS.index(with_margin) >= LEVELS.index(before) else with_margin


def _level(reading: PowerReading, settings: PowerSettings, margin: float) -> PowerLevel:
    percent = 100.0 if reading.plugged or reading.percent is None else reading.percent
    percent -= margin * PERCENT_BACK
    heat = (reading.celsius or 0.0) + margin * DEGREES_BACK
    if percent <= settings.pause_percent or heat >= settings.hot_c + DEGREES_TO_PAUSE:
        return "pause"
    if percent <= settings.spare_percent or heat >= settings.hot_c:
        return "spare"
    return "normal"


class Paused(Protocol):
    """The part of a session that a pause concerns."""

    clock: Clock
    bus: Bus

    @property
    def muted(self) -> bool: ...

    def mute(self, on: bool) -> None: ...


class PowerWatch:
    """Call `run` in a thread of its own; it returns after `close`.

    `spare` is called with True to leave half of the cores alone, with False to use all.
    """

    def __init__(
        self,
        session: Paused,
        settings: PowerSettings,
        spare: Callable[[bool], None],
        read: Callable[[], PowerReading] = read_power,
    ) -> None:
        self._session, self._settings, self._read, self._spare = session, settings, read, spare
        self._monitor = session.clock.monitor()
        self._closed = self._muted = False
        self.level: PowerLevel = "normal"

    def run(self) -> None:
        """Watch until `close`."""
        while not self._closed:
            self._step()
            with self._monitor:
                self._monitor.wait_for(lambda: self._closed, INTERVAL)
        self._spare(False)

    def close(self) -> None:
        """End `run`."""
        with self._monitor:
            self._closed = True
            self._monitor.notify_all()

    def _step(self) -> None:
        reading = self._read()
        before, self.level = self.level, level(reading, self._settings, self.level)
        if self.level == before:
            return
        self._spare(self.level != "normal")
        if self.level == "pause" and not self._session.muted:
            self._muted = True
            self._session.mute(True)
        elif before == "pause" and self._muted:
            self._muted = False
            self._session.mute(False)
        says = {
            "normal": "computing on all cores again",
            "spare": "computing on half of the cores, so replies are slower",
            "pause": "paused: the microphone is off until it is cooler or charged",
        }
        self._session.bus.emit(ev.Notice(text=f"{reading}: {says[self.level]}"))


def fast_cores(root: Path = Path("/sys/devices/system/cpu")) -> set[int]:
    """The fast ones of the logical cores that this process may use; all where they are alike."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    for name in ("cpu_capacity", "cpufreq/cpuinfo_max_freq"):
        speeds = {cpu: _number(root / f"cpu{cpu}" / name) for cpu in allowed}
        known = [speed for speed in speeds.values() if speed]
        if len(known) == len(allowed) and known:
            return {cpu for cpu, speed in speeds.items() if speed >= FAST * max(known)}
    return allowed


def stay_on_fast_cores() -> None:
    """Run this process, with all threads that it starts, on the fast cores."""
    if fast := fast_cores():
        os.sched_setaffinity(0, fast)


def _number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0
