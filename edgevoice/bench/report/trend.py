"""The course of a bench: whether replies become slower, and the state of the machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgevoice.bench.report.charts import ChartAxis, axis, percent
from edgevoice.bench.result.device_record import Sample
from edgevoice.bench.result.result import BenchTurn
from edgevoice.bench.result.wording import ms
from edgevoice.timings import percentile

HALVES = 4
"""Replies from which on two halves are compared."""


@dataclass(frozen=True)
class TrendPanel:
    """A quantity of the machine over session time."""

    name: str
    unit: str
    digits: int
    points: tuple[tuple[float, float], ...]

    @property
    def ends(self) -> tuple[str, str]:
        """The lowest and the highest value, with their unit."""
        values = [value for _, value in self.points]
        low, high = (f"{value:.{self.digits}f} {self.unit}" for value in (min(values), max(values)))
        return low, high


@dataclass(frozen=True)
class Trend:
    """What is drawn: turns by the time they were asked, and the machine below them."""

    turns: tuple[BenchTurn, ...]
    panels: tuple[TrendPanel, ...]
    axis: ChartAxis
    first: float
    """Session time of the left edge."""
    length: float
    """Seconds to the right edge."""
    description: str

    def x(self, at: float) -> str:
        """The place of a session time, as a share of the width."""
        return percent((at - self.first) / self.length)

    def line(self, panel: TrendPanel) -> str:
        """The points of a panel on a square of 1000 by 1000."""
        values = [value for _, value in panel.points]
        low, room = min(values), (max(values) - min(values)) or 1.0
        return " ".join(
            f"{(at - self.first) / self.length * 1000:.1f},{1000 - (value - low) / room * 1000:.1f}"
            for at, value in panel.points
        )


def trend(turns: Sequence[BenchTurn], samples: Sequence[Sample]) -> Trend | None:
    """The course of a variant; None with fewer than two replies."""
    gaps = [turn.response_time for turn in turns if turn.response_time is not None]
    if len(gaps) < 2:
        return None
    panels = _panels(samples)
    times = [turn.asked_at for turn in turns] + [at for panel in panels for at, _ in panel.points]
    return Trend(
        turns=tuple(turns),
        panels=panels,
        axis=axis(max(gaps), 4),
        first=min(times),
        length=(max(times) - min(times)) or 1.0,
        description=described(turns, samples),
    )


def _panels(samples: Sequence[Sample]) -> tuple[TrendPanel, ...]:
    """The quantities that were measured."""
    readings: list[tuple[str, str, int, list[tuple[float, float | None]]]] = [
        ("temperature", "°C", 0, [(s.t, s.temperature) for s in samples]),
        ("clock", "GHz", 2, [(s.t, s.clock and s.clock / 1e9) for s in samples]),
        ("memory", "MiB", 0, [(s.t, s.rss / 2**20) for s in samples]),
    ]
    panels = (
        TrendPanel(name, unit, digits, tuple((at, v) for at, v in found if v is not None))
        for name, unit, digits, found in readings
    )
    return tuple(panel for panel in panels if len(panel.points) > 1)


def described(turns: Sequence[BenchTurn], samples: Sequence[Sample] = ()) -> str:
    """The course in a sentence."""
    gaps = [turn.response_time for turn in turns if turn.counts and turn.response_time is not None]
    times = [turn.asked_at for turn in turns]
    told = [f"{len(gaps)} answers over {clock(max(times) - min(times))}"] if times else []
    if len(gaps) >= HALVES:
        early, late = gaps[: len(gaps) // 2], gaps[len(gaps) // 2 :]
        told.append(
            f"median of the first half {ms(percentile(early, 0.5) or 0.0)}, "
            f"of the second {ms(percentile(late, 0.5) or 0.0)}"
        )
    if missing := sum(turn.response_time is None for turn in turns):
        told.append(f"{missing} without an answer")
    for panel in _panels(samples):
        low, high = panel.ends
        told.append(f"{panel.name} {low.split()[0]} to {high}")
    if slow := sum(sample.throttled is True for sample in samples):
        told.append(f"throttled in {slow} of {len(samples)} samples")
    return "; ".join(told) + "."


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02} min"
