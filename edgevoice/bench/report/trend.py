"""The course of a bench: whether replies become slower, and the state of the machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgevoice.bench.report.charts import ChartAxis, axis
from edgevoice.bench.result.device_record import Sample
from edgevoice.bench.result.result import BenchTurn
from edgevoice.bench.result.wording import ms
from edgevoice.timings import percentile

HALVES = 4
"""Replies from which on two halves are compared."""


@dataclass(frozen=True)
class TrendPanel:
    """A quantity of the machine over session time: its extremes as text, and its values."""

    name: str
    low: str
    high: str
    points: tuple[tuple[float, float], ...]
    """Session time, and the place between the extremes, from 0 to 1."""


@dataclass(frozen=True)
class Trend:
    """Turns by the time they were asked, and the machine; `length` seconds from `first` on."""

    turns: Sequence[BenchTurn]
    panels: Sequence[TrendPanel]
    axis: ChartAxis
    first: float
    length: float
    description: str

    def share(self, at: float) -> float:
        """The place of a session time, from 0 to 1."""
        return (at - self.first) / self.length

    def line(self, panel: TrendPanel) -> str:
        """The points of a panel on a square of 1000 by 1000."""
        points = ((self.share(at) * 1000, 1000 - place * 1000) for at, place in panel.points)
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def trend(turns: Sequence[BenchTurn], samples: Sequence[Sample]) -> Trend | None:
    """The course of a variant; None with fewer than two replies."""
    replies = [turn.response_time for turn in turns if turn.response_time is not None]
    if len(replies) < 2:
        return None
    panels = _panels(samples)
    times = [turn.asked_at for turn in turns] + [at for panel in panels for at, _ in panel.points]
    first, length = min(times), (max(times) - min(times)) or 1.0
    return Trend(turns, panels, axis(max(replies), 4), first, length, described(turns, samples))


def _panels(samples: Sequence[Sample]) -> list[TrendPanel]:
    """The quantities that were measured."""
    readings: Sequence[tuple[str, str, int, Sequence[float | None]]] = (
        ("temperature", "°C", 0, [sample.temperature for sample in samples]),
        ("clock", "GHz", 2, [sample.clock and sample.clock / 1e9 for sample in samples]),
        ("memory", "MiB", 0, [sample.rss / 2**20 for sample in samples]),
    )
    panels = []
    for name, unit, digits, values in readings:
        known = [(s.t, v) for s, v in zip(samples, values, strict=True) if v is not None]
        if len(known) > 1:
            low, high = min(v for _, v in known), max(v for _, v in known)
            low_text, high_text = (f"{end:.{digits}f} {unit}" for end in (low, high))
            points = tuple((at, (v - low) / ((high - low) or 1.0)) for at, v in known)
            panels.append(TrendPanel(name, low_text, high_text, points))
    return panels


def described(turns: Sequence[BenchTurn], samples: Sequence[Sample] = ()) -> str:
    """The course in a sentence."""
    response_times = [
        turn.response_time for turn in turns if turn.counts and turn.response_time is not None
    ]
    times = [turn.asked_at for turn in turns]
    told = [f"{len(response_times)} answers over {clock(max(times) - min(times))}"] if times else []
    if len(response_times) >= HALVES:
        early, late = (
            response_times[: len(response_times) // 2],
            response_times[len(response_times) // 2 :],
        )
        told.append(
            f"median of the first half {ms(percentile(early, 0.5) or 0.0)}, "
            f"of the second {ms(percentile(late, 0.5) or 0.0)}"
        )
    if missing := sum(turn.response_time is None for turn in turns):
        told.append(f"{missing} without an answer")
    told += [f"{each.name} {each.low.split()[0]} to {each.high}" for each in _panels(samples)]
    if slow := sum(sample.throttled is True for sample in samples):
        told.append(f"throttled in {slow} of {len(samples)} samples")
    return "; ".join(told) + "."


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02} min"
