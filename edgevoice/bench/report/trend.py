"""A bench over time: whether answers become slower, and the state of the machine under it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgevoice.bench.report.charts import PLOT, axis, picture, seconds_said
from edgevoice.bench.report.markup import Markup, joined, percent, tag
from edgevoice.bench.report.wording import ms
from edgevoice.bench.result.device_record import Sample
from edgevoice.bench.result.result import BenchTurn
from edgevoice.timings import percentile

TOP = 14.0
"""Pixels above the plot."""

PANEL = 70.0
"""Pixels of the height of what is drawn under it."""

HALVES = 4
"""Answers there must be at least for two halves to be compared."""


@dataclass(frozen=True)
class TrendPanel:
    """A quantity of the machine over session time."""

    name: str
    points: tuple[tuple[float, float], ...]
    unit: str
    digits: int = 0

    @property
    def low(self) -> float:
        return min(value for _, value in self.points)

    @property
    def high(self) -> float:
        return max(value for _, value in self.points)

    def said(self, value: float) -> str:
        """A value with its unit."""
        return f"{value:.{self.digits}f} {self.unit}"


def panels(samples: Sequence[Sample]) -> list[TrendPanel]:
    """What the machine told of itself; what it did not is not there."""
    found = (
        TrendPanel(
            "temperature",
            tuple((s.t, s.temperature) for s in samples if s.temperature is not None),
            "°C",
        ),
        TrendPanel(
            "clock", tuple((s.t, s.clock / 1e9) for s in samples if s.clock is not None), "GHz", 2
        ),
        TrendPanel(
            "memory", tuple((s.t, s.rss / 2**20) for s in samples if s.rss is not None), "MiB"
        ),
    )
    return [panel for panel in found if len(panel.points) > 1]


def trend(
    key: str, title: str, turns: Sequence[BenchTurn], samples: Sequence[Sample]
) -> Markup | None:
    """The gap of every turn by when it was asked, and under it the machine, where it is known.

    None where there is nothing to be seen: fewer than two answers.
    """
    answered = [(turn, turn.gap) for turn in turns if turn.gap is not None]
    if len(answered) < 2:
        return None
    drawn = panels(samples)
    times = [turn.asked_at for turn in turns] + [at for panel in drawn for at, _ in panel.points]
    first, length = min(times), (max(times) - min(times)) or 1.0

    def x(at: float) -> float:
        return (at - first) / length

    marks = [_gaps(answered, x), *(_missing(t, x(t.asked_at)) for t in turns if t.gap is None)]
    bottom = TOP + PLOT + 18
    for panel in drawn:
        marks.append(_panel(panel, x, bottom))
        bottom += PANEL + 34
    marks += [
        tag("text", clock(0.0), x="0", y=bottom, class_="tick"),
        tag("text", clock(length), x="100%", y=bottom, text_anchor="end", class_="tick"),
    ]
    return picture(key, title, described(turns, samples), bottom + 6, *marks)


def described(turns: Sequence[BenchTurn], samples: Sequence[Sample] = ()) -> str:
    """What there is to be seen over time, in a sentence."""
    gaps = [turn.gap for turn in turns if turn.counts and turn.gap is not None]
    times = [turn.asked_at for turn in turns]
    told = [f"{len(gaps)} answers over {clock(max(times) - min(times))}"] if times else []
    if len(gaps) >= HALVES:
        early, late = gaps[: len(gaps) // 2], gaps[len(gaps) // 2 :]
        told.append(
            f"median of the first half {ms(percentile(early, 0.5) or 0.0)}, "
            f"of the second {ms(percentile(late, 0.5) or 0.0)}"
        )
    if missing := sum(turn.gap is None for turn in turns):
        told.append(f"{missing} without an answer")
    told += [f"{p.name} {p.low:.{p.digits}f} to {p.said(p.high)}" for p in panels(samples)]
    if slow := sum(sample.throttled is True for sample in samples):
        told.append(f"throttled in {slow} of {len(samples)} samples")
    return "; ".join(told) + "."


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02} min"


def _gaps(answered: Sequence[tuple[BenchTurn, float]], x: Callable[[float], float]) -> Markup:
    scale = axis(max(gap for _, gap in answered), 4)

    def y(gap: float) -> float:
        return TOP + PLOT * (1 - scale.share(max(0.0, gap)))

    marks = []
    for tick in scale.ticks:
        marks.append(tag("line", x1="0", x2="100%", y1=y(tick), y2=y(tick), class_="grid"))
        marks.append(tag("text", seconds_said(tick), x="0", y=y(tick) - 4, class_="tick"))
    for turn, gap in answered:
        told = f"{turn.question}: {ms(gap)}" + ("" if turn.counts else ", cut off, not counted")
        place = {"cx": percent(x(turn.asked_at)), "cy": f"{y(gap):.1f}"}
        style = "dot gap" if turn.counts else "dot apart"
        marks.append(tag("circle", tag("title", told), r=4.0, class_=style, **place))
    return joined(*marks)


def _missing(turn: BenchTurn, share: float) -> Markup:
    """A cross at the bottom, where no answer was heard."""
    told = tag("title", f"{turn.question}: {turn.dropped or 'no answer'}")
    place = percent(share)
    return tag("text", "×", told, x=place, y=TOP + PLOT, text_anchor="middle", class_="cross")


def _panel(panel: TrendPanel, x: Callable[[float], float], top: float) -> Markup:
    """One quantity, between its lowest and its highest."""
    low, high = panel.low, panel.high
    room = (high - low) or 1.0
    points = " ".join(
        f"{x(at) * 1000:.1f},{1000 - (value - low) / room * 1000:.1f}" for at, value in panel.points
    )
    line = tag("polyline", points=points, class_="curve machine")
    upper, lower = top + 18, top + 18 + PANEL
    return joined(
        tag("text", panel.name, x="0", y=top + 12, class_="name"),
        *(tag("line", x1="0", x2="100%", y1=y, y2=y, class_="grid") for y in (upper, lower)),
        tag(
            "svg",
            line,
            x="0",
            y=upper,
            width="100%",
            height=PANEL,
            viewBox="0 0 1000 1000",
            preserveAspectRatio="none",
            class_="plot",
        ),
        tag("text", panel.said(high), x="100%", y=upper - 4, text_anchor="end", class_="tick"),
        tag("text", panel.said(low), x="100%", y=lower - 4, text_anchor="end", class_="tick"),
    )
