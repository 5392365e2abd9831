"""What a machine tells of itself while it works: heat, clock, throttling and energy.

Each of them is None where the platform offers nothing, and every reading is None that cannot be
had or makes no sense; nothing is ever told as zero instead. Only Linux tells any of it to
everybody. macOS tells it to root alone (powermetrics), and Windows to drivers of its own.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from edgevoice.bench.machine.energy import Battery, Rapl

T = TypeVar("T")

COLDEST, HOTTEST = -60.0, 200.0
"""Degrees beyond which a sensor is broken. So is one that says exactly 0."""
PROCESSOR = ("pkg", "cpu", "soc", "core", "k10temp", "k8temp", "zenpower")
"""What the name of a sensor in or beside the processor contains."""
BOARD = ("acpitz",)
"""Where no sensor is in the processor, one that is near it."""
LIMITED = 0xF
"""Bits of a Raspberry Pi's answer that speak of now: too little voltage, clock capped, throttled,
too warm. The higher ones remember the same since it was started."""
PATIENCE = 1.0
"""Seconds that vcgencmd may take to answer."""


@dataclass(frozen=True, slots=True)
class Sensor(Generic[T]):
    """Where a quantity is read, in words, and how; None whenever it cannot be."""

    source: str
    read: Callable[[], T | None]


def number(path: Path) -> float | None:
    """What a file holds, if that is one number and the file can be read."""
    try:
        value = float(path.read_text("ascii"))
    except (OSError, ValueError):
        return None
    return value if math.isfinite(value) else None


def word(path: Path) -> str:
    """The text in a file; empty if it cannot be read."""
    try:
        return path.read_text("utf-8", "replace").strip("\0 \n")
    except OSError:
        return ""


def temperature(root: Path = Path("/")) -> Sensor[float] | None:
    """The hottest place in the processor, in °C."""
    zones = [
        (word(temp.with_name("type")), temp)
        for temp in sorted(root.glob("sys/class/thermal/thermal_zone*/temp"))
    ]
    chips = [
        (word(temp.with_name("name")), temp)
        for temp in sorted(root.glob("sys/class/hwmon/hwmon*/temp*_input"))
    ]
    for places, names in ((zones, PROCESSOR), (chips, PROCESSOR), (zones, BOARD), (chips, BOARD)):
        found = [(name, path) for name, path in places if _has(name, names)]
        paths = [path for name, path in found if _degrees(path) is not None]
        if paths:
            said = dict.fromkeys(name for name, path in found if path in paths)
            return Sensor(", ".join(said), partial(_hottest, paths))
    return None


def _has(name: str, parts: Iterable[str]) -> bool:
    return any(part in name.lower() for part in parts)


def _degrees(path: Path) -> float | None:
    value = number(path)
    if value is None or value == 0 or not COLDEST < value / 1000 < HOTTEST:
        return None
    return value / 1000


def _hottest(paths: Sequence[Path]) -> float | None:
    return max((d for path in paths if (d := _degrees(path)) is not None), default=None)


def clock(root: Path = Path("/")) -> Sensor[float] | None:
    """The clock of the cores this process may use, in Hz, their mean.

    /proc/cpuinfo is believed only where the kernel counts cycles for it; in a virtual machine it
    holds what the processor is sold for.
    """
    cores = root / "sys/devices/system/cpu"
    paths = [cores / f"cpu{cpu}/cpufreq/scaling_cur_freq" for cpu in usable(cores)]
    if any(_positive(path) for path in paths):
        return Sensor("cpufreq", lambda: _mean([_positive(path) for path in paths], 1e3))
    cpuinfo = root / "proc/cpuinfo"
    if "aperfmperf" in word(cpuinfo).split():
        sensor = Sensor("/proc/cpuinfo", lambda: _mean(list(_megahertz(cpuinfo)), 1e6))
        return sensor if sensor.read() is not None else None
    return None


def usable(cores: Path) -> list[int]:
    """The logical cores this process may use, of those that the folder `cores` lists."""
    there = {int(path.name[3:]) for path in cores.glob("cpu[0-9]*") if path.name[3:].isdigit()}
    if hasattr(os, "sched_getaffinity"):
        there = (there & os.sched_getaffinity(0)) or there
    return sorted(there)


def _positive(path: Path) -> float | None:
    value = number(path)
    return value if value is not None and value > 0 else None


def _mean(values: Sequence[float | None], unit: float) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) * unit if there else None


def _megahertz(cpuinfo: Path) -> Iterable[float | None]:
    for line in word(cpuinfo).splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "cpu MHz":
            try:
                yield float(value)
            except ValueError:
                yield None


def throttled(root: Path = Path("/"), vcgencmd: str | None = None) -> Sensor[bool] | None:
    """Whether the processor is slower than it was asked to be, for its heat or its supply.

    `vcgencmd` is the program that a Raspberry Pi answers with; None: whichever is on the PATH.
    """
    tellers: list[tuple[str, Callable[[], bool | None]]] = []
    counts = sorted(root.glob("sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/*_throttle_count"))
    if any(number(path) is not None for path in counts):
        tellers.append(("thermal_throttle", _Counting(counts)))
    coolers = [
        path.with_name("cur_state")
        for path in sorted(root.glob("sys/class/thermal/cooling_device*/type"))
        if _has(word(path), ("cpufreq", "processor"))
    ]
    if any(number(path) is not None for path in coolers):
        tellers.append(("cooling devices", partial(_any_above_zero, coolers)))
    program = shutil.which("vcgencmd") if vcgencmd is None else vcgencmd
    if program and _firmware(program) is not None:
        tellers.append(("vcgencmd", partial(_firmware, program)))
    if not tellers:
        return None

    def read() -> bool | None:
        told = [answer for _, ask in tellers if (answer := ask()) is not None]
        return any(told) if told else None

    return Sensor(", ".join(name for name, _ in tellers), read)


class _Counting:
    """Whether any of the counters has moved since they were last looked at."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._last = {path: number(path) for path in paths}

    def __call__(self) -> bool | None:
        told = []
        for path, last in self._last.items():
            value = number(path)
            if value is not None:
                told.append(last is not None and value > last)
                self._last[path] = value
        return any(told) if told else None


def _any_above_zero(paths: Sequence[Path]) -> bool | None:
    states = [state for path in paths if (state := number(path)) is not None]
    return any(state > 0 for state in states) if states else None


def _firmware(program: str) -> bool | None:
    try:
        done = subprocess.run(
            [program, "get_throttled"], capture_output=True, timeout=PATIENCE, check=True
        )
        return bool(int(done.stdout.decode("ascii").partition("=")[2], 16) & LIMITED)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def energy(root: Path = Path("/")) -> tuple[Sensor[float] | None, bool]:
    """Joules used since now, and whether they are counted finely enough for a single turn.

    The processor's own counters (RAPL), or else what a battery has lost while nothing charges it.
    """
    rapl = Rapl(root)
    if rapl.names:
        return Sensor(f"RAPL {', '.join(rapl.names)}", rapl), True
    battery = Battery(root)
    if battery.names:
        return Sensor(f"battery {', '.join(battery.names)}", battery), False
    return None, False
