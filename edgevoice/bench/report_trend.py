"""A bench over time: whether answers become slower, and the warmth of the machine under it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgevoice.bench.markup import Markup, joined, percent, tag
from edgevoice.bench.report import Sample
from edgevoice.bench.report_charts import PLOT, axis, picture, seconds_said
from edgevoice.bench.report_words import ms
from edgevoice.bench.result import Turn
from edgevoice.timings import percentile

TOP = 14.0
"""Pixels above the plot."""

WARM = 90.0
"""Pixels of the temperature's height."""

HALVES = 4
"""Answers there must be at least for two halves to be compared."""


def trend(key: str, title: str, turns: Sequence[Turn], samples: Sequence[Sample]) -> Markup | None:
    """The gap of every turn by when it was asked, and under it the temperature where it is known.

    None where there is nothing to be seen: fewer than two answers.
    """
    answered = [(turn, turn.gap) for turn in turns if turn.gap is not None]
    if len(answered) < 2:
        return None
    warmth = [(s.at, s.temperature) for s in samples if s.temperature is not None]
    times = [turn.asked_at for turn in turns] + [at for at, _ in warmth]
    first, length = min(times), (max(times) - min(times)) or 1.0

    def x(at: float) -> float:
        return (at - first) / length

    marks = [_gaps(answered, x), *(_missing(t, x(t.asked_at)) for t in turns if t.gap is None)]
    bottom = TOP + PLOT + 18
    if warmth:
        marks.append(_warmth(warmth, x, bottom))
        bottom += WARM + 32
    marks += [
        tag("text", clock(0.0), x="0", y=bottom, class_="tick"),
        tag("text", clock(length), x="100%", y=bottom, text_anchor="end", class_="tick"),
    ]
    return picture(key, title, described(turns, samples), bottom + 6, *marks)


def described(turns: Sequence[Turn], samples: Sequence[Sample] = ()) -> str:
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
    if warmth := [s.temperature for s in samples if s.temperature is not None]:
        told.append(f"{min(warmth):.0f} to {max(warmth):.0f} °C")
    return "; ".join(told) + "."


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02} min"


def _gaps(answered: Sequence[tuple[Turn, float]], x: Callable[[float], float]) -> Markup:
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


def _missing(turn: Turn, share: float) -> Markup:
    """A cross at the bottom, where no answer was heard."""
    told = tag("title", f"{turn.question}: {turn.dropped or 'no answer'}")
    place = percent(share)
    return tag("text", "×", told, x=place, y=TOP + PLOT, text_anchor="middle", class_="cross")


def _warmth(
    warmth: Sequence[tuple[float, float]], x: Callable[[float], float], top: float
) -> Markup:
    """The temperature, between its lowest and its highest."""
    low, high = min(value for _, value in warmth), max(value for _, value in warmth)
    room = (high - low) or 1.0
    points = " ".join(
        f"{x(at) * 1000:.1f},{1000 - (value - low) / room * 1000:.1f}" for at, value in warmth
    )
    line = tag("polyline", points=points, class_="curve warmth")
    return joined(
        tag("text", "temperature", x="0", y=top + 10, class_="name"),
        *(
            tag("line", x1="0", x2="100%", y1=y, y2=y, class_="grid")
            for y in (top + 16, top + 16 + WARM)
        ),
        tag(
            "svg",
            line,
            x="0",
            y=top + 16,
            width="100%",
            height=WARM,
            viewBox="0 0 1000 1000",
            preserveAspectRatio="none",
            class_="plot",
        ),
        tag("text", f"{high:.0f} °C", x="100%", y=top + 12, text_anchor="end", class_="tick"),
        tag("text", f"{low:.0f} °C", x="100%", y=top + 12 + WARM, text_anchor="end", class_="tick"),
    )
