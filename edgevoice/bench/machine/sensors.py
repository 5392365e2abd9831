"""What a Linux machine reports while it works: temperature, clock, throttling and energy.

A sensor that is missing, unreadable or implausible gives None, never zero. macOS and Windows have
no such interface without root or a driver.
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

T = TypeVar("T")

COLDEST, HOTTEST = -60.0, 200.0  # °C; beyond, and at exactly 0, a sensor is broken
PROCESSOR = ("pkg", "cpu", "soc", "core", "k10temp", "k8temp", "zenpower")
BOARD = ("acpitz",)  # where no sensor is in the processor
LIMITED = 0xF  # bits of vcgencmd that mean now: voltage, clock, throttled, temperature
FIRMWARE_PATIENCE = 1.0  # seconds
MICRO, HOUR = 1e-6, 3600.0


@dataclass(frozen=True, slots=True)
class Sensor(Generic[T]):
    """Where a quantity is read, in words, and how; `read` gives None while it cannot be read."""

    source: str
    read: Callable[[], T | None]


def number(path: Path) -> float | None:
    """The number in a file, if the file can be read and holds one."""
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


def usable(cores: Path) -> list[int]:
    """The logical cores this process may use, of those that the folder `cores` lists."""
    there = {int(path.name[3:]) for path in cores.glob("cpu[0-9]*") if path.name[3:].isdigit()}
    if hasattr(os, "sched_getaffinity"):
        there = (there & os.sched_getaffinity(0)) or there
    return sorted(there)


def temperature(root: Path = Path("/")) -> Sensor[float] | None:
    """The hottest sensor of the processor, in °C."""
    zones = {path: path.with_name("type") for path in root.glob("sys/class/thermal/*/temp")}
    chips = {path: path.with_name("name") for path in root.glob("sys/class/hwmon/*/temp*_input")}
    for places, names in ((zones, PROCESSOR), (chips, PROCESSOR), (zones, BOARD), (chips, BOARD)):
        found = {p: word(name) for p, name in sorted(places.items()) if _has(word(name), names)}
        paths = [path for path in found if _degrees(path) is not None]
        if paths:
            source = ", ".join(dict.fromkeys(found[path] for path in paths))
            return Sensor(source, partial(_hottest, paths))
    return None


def _hottest(paths: Iterable[Path]) -> float | None:
    return max(_there(map(_degrees, paths)), default=None)


def _has(name: str, parts: Iterable[str]) -> bool:
    return any(part in name.lower() for part in parts)


def _degrees(path: Path) -> float | None:
    value = number(path)
    return value / 1000 if value and COLDEST < value / 1000 < HOTTEST else None


def _there(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def clock(root: Path = Path("/")) -> Sensor[float] | None:
    """The mean clock of the usable cores, in Hz.

    /proc/cpuinfo counts only where the kernel measures; in a virtual machine it holds the nominal
    clock.
    """
    cores, cpuinfo = root / "sys/devices/system/cpu", root / "proc/cpuinfo"
    paths = [cores / f"cpu{cpu}/cpufreq/scaling_cur_freq" for cpu in usable(cores)]

    def megahertz() -> Iterable[str]:
        lines = (line.partition(":") for line in word(cpuinfo).splitlines())
        return (value.strip() for name, _, value in lines if name.strip() == "cpu MHz")

    if any(map(number, paths)):
        return Sensor("cpufreq", lambda: _mean(filter(None, _there(map(number, paths))), 1e3))
    if "aperfmperf" in word(cpuinfo).split() and any(megahertz()):
        return Sensor("/proc/cpuinfo", lambda: _mean(map(float, megahertz()), 1e6))
    return None


def _mean(values: Iterable[float], unit: float) -> float | None:
    there = list(values)
    return sum(there) / len(there) * unit if there else None


def throttled(root: Path = Path("/"), vcgencmd: str | None = None) -> Sensor[bool] | None:
    """Whether heat or supply voltage slows the processor.

    `vcgencmd` is the program that a Raspberry Pi answers with; None: the one on the PATH.
    """
    sensors: list[Sensor[bool]] = []
    counts = root.glob("sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/*_throttle_count")
    if last := _numbers(counts):

        def counted() -> bool | None:
            now = _numbers(last)
            moved = any(value > last[path] for path, value in now.items())
            last.update(now)
            return moved if now else None

        sensors.append(Sensor("thermal_throttle", counted))
    coolers = [
        path.with_name("cur_state")
        for path in root.glob("sys/class/thermal/cooling_device*/type")
        if _has(word(path), ("cpufreq", "processor"))
    ]
    if _numbers(coolers):

        def cooled() -> bool | None:
            states = _numbers(coolers).values()
            return any(states) if states else None

        sensors.append(Sensor("cooling devices", cooled))
    program = shutil.which("vcgencmd") if vcgencmd is None else vcgencmd
    if program and _firmware(program) is not None:
        sensors.append(Sensor("vcgencmd", lambda: _firmware(program)))

    def read() -> bool | None:
        found = [answer for sensor in sensors if (answer := sensor.read()) is not None]
        return any(found) if found else None

    return Sensor(", ".join(sensor.source for sensor in sensors), read) if sensors else None


def _numbers(paths: Iterable[Path]) -> dict[Path, float]:
    return {path: value for path in paths if (value := number(path)) is not None}


def _firmware(program: str) -> bool | None:
    command: Sequence[str] = (program, "get_throttled")
    try:
        done = subprocess.run(command, capture_output=True, timeout=FIRMWARE_PATIENCE, check=True)
        return bool(int(done.stdout.decode("ascii").partition("=")[2], 16) & LIMITED)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def energy(root: Path = Path("/")) -> tuple[Sensor[float] | None, bool]:
    """Joules used since now, and whether they are counted finely enough for a single turn.

    The processor's own counters (RAPL), or else what a battery lost while nothing charges it.
    """
    if (rapl := Rapl(root)).names:
        return Sensor(f"RAPL {', '.join(rapl.names)}", rapl), True
    if (battery := Battery(root)).names:
        return Sensor(f"battery {', '.join(battery.names)}", battery), False
    return None, False


class Rapl:
    """Joules that the processor's packages counted since this was made.

    `names` are the packages that can be read, usually by root only. Each counts microjoules up to
    a limit of its own and starts again.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        zones = sorted(root.glob("sys/class/powercap/intel-rapl:*"))
        # "core" is part of a package, and "psys" contains it.
        packages = [zone for zone in zones if word(zone / "name").startswith("package")]
        self._last = _numbers(zone / "energy_uj" for zone in packages)
        self.names = [word(path.with_name("name")) for path in self._last]
        self._joules = 0.0

    def __call__(self) -> float | None:
        """Joules so far; None where no package can be read just now."""
        now = _numbers(self._last)
        for path, count in now.items():
            used = count - self._last[path]
            if used < 0:
                used += number(path.with_name("max_energy_range_uj")) or 0.0
            self._joules += max(0.0, used) * MICRO
        self._last |= now
        return self._joules if now else None


class Battery:
    """Joules that batteries lost since this was made: coarse, and of the whole device."""

    def __init__(self, root: Path = Path("/")) -> None:
        supplies = sorted(root.glob("sys/class/power_supply/*"))
        self._last = _left(supply for supply in supplies if word(supply / "type") == "Battery")
        self.names = [supply.name for supply in self._last]
        self._joules = 0.0

    def __call__(self) -> float | None:
        """Joules so far; None while a battery is charged or cannot be read."""
        now = _left(self._last)
        if len(now) < len(self._last):
            return None
        self._joules += sum(max(0.0, self._last[supply] - left) for supply, left in now.items())
        self._last = now
        return self._joules


def _left(batteries: Iterable[Path]) -> dict[Path, float]:
    """Joules in each battery that is discharging."""
    found = {}
    for battery in batteries:
        energy, charge = number(battery / "energy_now"), number(battery / "charge_now")
        volts = number(battery / "voltage_min_design") or number(battery / "voltage_now")
        if energy is None and charge is not None and volts:
            energy = charge * volts * MICRO
        if energy is not None and word(battery / "status") == "Discharging":
            found[battery] = energy * MICRO * HOUR
    return found
