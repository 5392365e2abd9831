"""The device and its limits as plain text, 80 columns wide; what is not known is said to be so."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from statistics import median

from edgevoice.bench.result.device_record import Sample, StageFloor
from edgevoice.bench.result.result import BenchResult
from edgevoice.bench.result.wording import MISSING, WIDTH, packed


def device(result: BenchResult) -> list[str]:
    """What the bench took of the machine, and what its sensors told meanwhile."""
    if result.sensors is None:  # measured before there were any
        return []
    lines = packed([*_memory(result), *_processor(result)])
    if not any(result.sensors.values()):
        return [*lines, f"temperature, clock, throttling, energy: {MISSING} on this machine"]
    return lines + packed(
        [
            f"temperature {_range(result.samples, lambda s: s.temperature, 1.0, 0, '°C')}",
            f"clock {_range(result.samples, lambda s: s.clock, 1e9, 2, 'GHz')}",
            f"throttled {_throttled(result.samples)}",
            f"energy {_energy(result)}",
        ]
    )


def _memory(result: BenchResult) -> list[str]:
    steady = f"{result.steady_rss / 1e9:.2f} GB" if result.steady_rss else MISSING
    return [f"memory {steady} steady, {result.peak_rss / 1e9:.2f} GB at most"]


def _processor(result: BenchResult) -> list[str]:
    spent = result.variants[0].summary.cpu_seconds if result.variants else None
    parts = [f"CPU {spent.p50:.1f} s a turn" if spent else f"CPU a turn {MISSING}"]
    if result.idle:
        parts.append(f"{result.idle.cpu_per_minute:.1f} s an idle minute")
    return parts


def _range(
    samples: Iterable[Sample],
    take: Callable[[Sample], float | None],
    unit: float,
    digits: int,
    name: str,
) -> str:
    values = [value / unit for sample in samples if (value := take(sample)) is not None]
    if not values:
        return MISSING
    least, most = (f"{value:.{digits}f}" for value in (min(values), max(values)))
    return f"{least} {name}" if least == most else f"{least} to {most} {name}"


def _throttled(samples: Iterable[Sample]) -> str:
    told = [sample.throttled for sample in samples if sample.throttled is not None]
    if not told:
        return MISSING
    return f"in {sum(told)} of {len(told)} samples" if any(told) else "never"


def _energy(result: BenchResult) -> str:
    parts = []
    spent = result.variants[0].summary.energy if result.variants else None
    if spent:
        parts.append(f"{spent.p50:.1f} J a turn")
    told = [(s.t, s.energy) for s in result.samples if s.energy is not None]
    if len(told) > 1 and told[-1][0] > told[0][0]:
        watts = (told[-1][1] - told[0][1]) / (told[-1][0] - told[0][0])
        parts.append(f"{watts:.1f} W on average")
    return ", ".join(parts) or MISSING


def limits(result: BenchResult) -> list[str]:
    """How near each stage came to what this machine could do."""
    roofline = result.roofline
    if roofline is None:
        return []
    lines = [f"{'limits of the machine':<36} {'at least':>10} {'took':>10} {'reached':>8}"]
    lines += [_row(floor) for floor in roofline.floors]
    told = []
    for name, unit in (("memory", "GB/s"), ("float32", "Gop/s"), ("int8", "Gop/s")):
        best = getattr(roofline, name)
        text = f"{name} {best / 1e9:.1f} {unit}" if best else f"{name} {MISSING}"
        # A shared machine may have been several times as slow at times.
        if each := getattr(result.machine.speeds, f"{name}_samples", ()):
            low, middle = min(each) / 1e9, median(each) / 1e9
            text += f" (median {middle:.1f}, least {low:.1f}, {len(each)} samples)"
        told.append(text)
    return [*lines, *packed([f"measured: {told[0]}", *told[1:]])]


def _row(floor: StageFloor) -> str:
    name = f"{floor.stage}, a {floor.per}" if floor.per else floor.stage
    if floor.floor is None or floor.measured is None:
        why = f": {floor.why}" if floor.why else ""
        return textwrap.shorten(f"{floor.stage}: {MISSING}{why}", WIDTH, placeholder=" …")
    share = f"{floor.share * 100:.0f} %" if floor.share is not None else ""
    cells = f"{_ms(floor.floor):>10} {_ms(floor.measured):>10} {share:>8}"
    return f"{name:<36} {cells}  {floor.bound}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
