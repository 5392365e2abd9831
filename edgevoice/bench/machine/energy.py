"""Energy, from counters that wrap around and batteries that run down."""

from __future__ import annotations

from pathlib import Path

MICRO = 1e-6
HOUR = 3600.0


class Rapl:
    """Joules that the processor's packages have counted since this was made.

    Each package counts microjoules up to a limit of its own and then begins again. On most systems
    root alone may read them; `names` are those that can be read.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self.names: list[str] = []
        self._last: dict[Path, int] = {}
        self._joules = 0.0
        # Packages alone: what is inside them, and what spans them (psys), is counted there, too.
        for zone in sorted(root.glob("sys/class/powercap/intel-rapl:*")):
            name = _text(zone / "name")
            count = _count(zone / "energy_uj")
            if name.startswith("package") and count is not None:
                self.names.append(name)
                self._last[zone] = count

    def __call__(self) -> float | None:
        """Joules so far; None where none of the packages can be read just now."""
        told = False
        for zone, last in self._last.items():
            count = _count(zone / "energy_uj")
            if count is None:
                continue
            told = True
            used = count - last
            if used < 0:
                used += _count(zone / "max_energy_range_uj") or 0
            self._joules += max(0, used) * MICRO
            self._last[zone] = count
        return self._joules if told else None


class Battery:
    """Joules that batteries have lost since this was made, by the gauge in them.

    A gauge is coarse and slow: right over minutes, not over a turn. It counts the whole device, and
    tells nothing while the device is charged.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self.names: list[str] = []
        self._last: dict[Path, float] = {}
        self._joules = 0.0
        for supply in sorted(root.glob("sys/class/power_supply/*")):
            left = _left(supply)
            if _text(supply / "type") == "Battery" and left is not None:
                self.names.append(supply.name)
                self._last[supply] = left

    def __call__(self) -> float | None:
        """Joules so far; None while any battery is charged or cannot be read."""
        for supply, last in self._last.items():
            left = _left(supply)
            if left is None:
                return None
            self._joules += max(0.0, last - left)
            self._last[supply] = left
        return self._joules


def _left(battery: Path) -> float | None:
    """Joules in a battery that is running down; None for any other."""
    if _text(battery / "status") != "Discharging":
        return None
    energy = _count(battery / "energy_now")
    if energy is not None:
        return energy * MICRO * HOUR
    charge = _count(battery / "charge_now")
    volts = _count(battery / "voltage_min_design") or _count(battery / "voltage_now")
    if charge is None or not volts:
        return None
    return charge * MICRO * volts * MICRO * HOUR


def _count(path: Path) -> int | None:
    """A whole number that is not negative, if the file holds one and can be read."""
    try:
        count = int(path.read_text("ascii"))
    except (OSError, ValueError):
        return None
    return count if count >= 0 else None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
