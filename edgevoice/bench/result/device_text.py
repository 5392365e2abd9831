"""The machine and its limits as text."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from edgevoice.bench.result.device_record import Sample
from edgevoice.bench.result.result import BenchResult
from edgevoice.bench.result.wording import MISSING, ms, packed, table

FLOORS = ("stage", "for", "at least", "measured", "reached", "bound by")


def device(result: BenchResult) -> list[str]:
    """Memory, CPU time, and the readings of the sensors; empty in results without sensors."""
    if result.sensors is None:
        return []
    summary = result.variants[0].summary if result.variants else None
    steady = f"{result.steady_rss / 1e9:.2f} GB" if result.steady_rss else MISSING
    cpu = f"CPU a turn {MISSING}"
    if summary and summary.cpu_seconds:
        cpu = f"CPU {summary.cpu_seconds.p50:.1f} s a turn"
    idle = [f"{result.idle.cpu_per_minute:.1f} s an idle minute"] if result.idle else []
    lines = packed([f"memory {steady} steady, {result.peak_rss / 1e9:.2f} GB at most", cpu, *idle])
    if not any(result.sensors.values()):
        return [*lines, f"temperature, clock, throttling, energy: {MISSING} on this machine"]
    readings = {
        "temperature": _range(result, lambda s: s.temperature, 1.0, 0, "°C"),
        "clock": _range(result, lambda s: s.clock, 1e9, 2, "GHz"),
        "throttled": _throttled(result),
        "energy": _energy(result),
    }
    for name, source in result.sensors.items():
        if source and readings.get(name):
            readings[name] += f" ({source})"
    return lines + packed(f"{name} {told or MISSING}" for name, told in readings.items())


def _range(
    result: BenchResult, take: Callable[[Sample], float | None], unit: float, digits: int, name: str
) -> str:
    values = [value / unit for sample in result.samples if (value := take(sample)) is not None]
    if not values:
        return ""
    least, most = (f"{value:.{digits}f}" for value in (min(values), max(values)))
    return f"{least} {name}" if least == most else f"{least} to {most} {name}"


def _throttled(result: BenchResult) -> str:
    known = [sample.throttled for sample in result.samples if sample.throttled is not None]
    often = f"in {sum(known)} of {len(known)} samples" if any(known) else "never"
    return often if known else ""


def _energy(result: BenchResult) -> str:
    parts = []
    if result.variants and (spent := result.variants[0].summary.energy):
        parts.append(f"{spent.p50:.1f} J a turn")
    known = [(sample.t, sample.energy) for sample in result.samples if sample.energy is not None]
    if known and (seconds := known[-1][0] - known[0][0]) > 0:
        parts.append(f"{(known[-1][1] - known[0][1]) / seconds:.1f} W on average")
    return ", ".join(parts)


def limits(result: BenchResult) -> list[str]:
    """How near each stage came to the limits of the machine, with these limits."""
    roofline = result.roofline
    if roofline is None:
        return []
    told = []
    for name, unit in (("memory", "GB/s"), ("float32", "Gop/s"), ("int8", "Gop/s")):
        best = getattr(roofline, name)
        text = f"{name} {best / 1e9:.1f} {unit}" if best else f"{name} {MISSING}"
        # A shared machine may have been several times as slow at times.
        if each := getattr(result.machine.speeds, f"{name}_samples", ()):
            low, middle = min(each) / 1e9, median(each) / 1e9
            text += f" (median {middle:.1f}, least {low:.1f}, {len(each)} samples)"
        told.append(text)
    rows = table(FLOORS, floors(result), words=(0, 1, 5))
    return ["limits of the machine", *rows, *packed(told)]


def floors(result: BenchResult) -> list[list[str]]:
    """Each stage compared with the least time that the machine needs, by FLOORS."""
    rows = []
    for floor in result.roofline.floors if result.roofline else ():
        times = ["" if each is None else _ms(each) for each in (floor.floor, floor.measured)]
        share = "" if floor.share is None else f"{floor.share:.0%}"
        rows.append([floor.stage, floor.per, *times, share, floor.bound or floor.why])
    return rows


def _ms(seconds: float) -> str:
    return ms(seconds) if seconds >= 0.1 else f"{seconds * 1000:.3g} ms"
