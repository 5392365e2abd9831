"""The pictures of a report, as SVG that is as wide as its place: positions are shares of the width.

Text keeps its size whatever the width. Every picture has a title and a description that says what
is to be seen in it; the figures themselves stand in a table beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgevoice.bench.report.markup import Attribute, Markup, joined, percent, tag
from edgevoice.bench.report.report import WAITS
from edgevoice.bench.report.wording import ms
from edgevoice.bench.result.result import Figures
from edgevoice.timings import SPANS, percentile

STYLES = 6
"""Kinds of line there are to tell curves apart, and colours for spans that have none."""

OTHERS = ("silence", "transcribe", "reply")
"""The spans of the plain sequence that the pipeline does not have."""

ROW = 46
"""Pixels of a row with a line of text above its marks."""

PLOT = 200
"""Pixels of a plot's height."""


@dataclass(frozen=True)
class ChartAxis:
    """A scale from 0 to `top` seconds, with a line at each of `ticks`."""

    top: float
    ticks: tuple[float, ...]

    def share(self, seconds: float) -> float:
        """Where on the axis that is, from 0 to 1."""
        return seconds / self.top

    def lines(self, height: float, top: float = 0.0) -> Markup:
        """The lines of the ticks, across `height` pixels from `top` on."""
        places = [percent(self.share(tick)) for tick in self.ticks]
        return joined(
            *(tag("line", x1=x, x2=x, y1=top, y2=top + height, class_="grid") for x in places)
        )

    def labels(self, y: float) -> Markup:
        """What the ticks are, at `y` pixels; the last one says the unit, if they are seconds."""
        return joined(
            *(_tick(tick, self.share(tick), y, last=tick == self.ticks[-1]) for tick in self.ticks)
        )


def axis(longest: float, lines: int = 5) -> ChartAxis:
    """A scale that holds `longest` seconds, with about `lines` round numbers on it."""
    longest = longest if longest > 0 else 0.1
    step = 0.001
    while longest / step > lines:
        step *= 2.5 if f"{step:e}".startswith("2") else 2
    ticks: list[float] = []
    while len(ticks) * step <= longest * 1.0001:
        ticks.append(round(len(ticks) * step, 6))
    return ChartAxis(max(longest, ticks[-1]), tuple(ticks))


def span_class(name: str) -> str:
    """The class that gives a span its colour, and its hatching where nobody works in it."""
    if name in SPANS:
        colour = f"span-{SPANS.index(name)}"
    elif name in OTHERS:
        colour = f"other-{OTHERS.index(name)}"
    else:
        colour = f"other-{len(OTHERS) + sum(map(ord, name)) % (STYLES - len(OTHERS))}"
    return f"{colour} waits" if name in WAITS else colour


def waterfall_bar(start: float, length: float, scale: ChartAxis, style: str) -> Markup:
    """One span where it lies in its gap, to stand in a row of a table that says the same."""
    width = scale.share(length)
    x = percent(scale.share(start))
    placed: dict[str, Attribute] = {"x": x, "width": percent(width), "y": 4.0, "height": 14.0}
    marks = [scale.lines(22), tag("rect", class_=f"bar {style}", **placed)]
    if "waits" in style:
        marks.append(tag("rect", class_="hatch", **placed))
    if length > 0:
        # However short it was, it is to be seen that it was there.
        marks.append(tag("line", x1=x, x2=x, y1=4.0, y2=18.0, class_=f"edge {style}"))
    return tag("svg", *marks, width="100%", height=22.0, aria_hidden="true", class_="row")


def strips(
    key: str, title: str, values: Mapping[str, Sequence[float]], figures: Mapping[str, Figures]
) -> Markup:
    """A line a quantity: every turn as a dot, with the median and the 95th percentile."""
    scale = axis(max((v for row in values.values() for v in row), default=0.0))
    marks: list[Markup] = []
    for number, (name, row) in enumerate(values.items()):
        top = number * ROW
        marks.append(tag("text", name, x="0", y=top + 13.0, class_="name"))
        marks.append(scale.lines(24, top + 18))
        style = "gap" if name == "gap" else span_class(name)
        marks += [_dot(v, i, top + 30, scale, style) for i, v in enumerate(row)]
        if found := figures.get(name):
            told = f"p50 {ms(found.p50)} · p95 {ms(found.p95)}"
            marks.append(
                tag("text", told, x="100%", y=top + 13.0, text_anchor="end", class_="figures")
            )
            for figure, class_ in ((found.p50, "median"), (found.p95, "tail")):
                x = percent(scale.share(figure))
                marks.append(tag("line", x1=x, x2=x, y1=top + 18.0, y2=top + 42.0, class_=class_))
    height = len(values) * ROW
    marks.append(scale.labels(height + 14.0))
    told = "; ".join(
        f"{name}: median {ms(f.p50)}, 95th percentile {ms(f.p95)}" for name, f in figures.items()
    )
    return picture(key, title, f"Every turn is a dot. {told}.", height + 20.0, *marks)


def curves(key: str, title: str, series: Mapping[str, Sequence[float]]) -> Markup:
    """The share of turns that were as quick as that, or quicker; a step a turn."""
    scale = axis(max((v for row in series.values() for v in row), default=0.0))
    marks: list[Markup] = [scale.lines(PLOT, 8)]
    for share, name in ((1.0, "all"), (0.95, "95 %"), (0.5, "half"), (0.0, "")):
        y = 8 + PLOT * (1 - share)
        class_ = "grid strong" if share in (0.5, 0.95) else "grid"
        marks.append(tag("line", x1="0", x2="100%", y1=y, y2=y, class_=class_))
        below = 12 if share == 0.95 else -4
        if name != "all":
            marks.append(tag("text", name, x="100%", y=y + below, text_anchor="end", class_="tick"))
    paths = [
        tag("path", d=_steps(row, scale), class_=f"curve line-{number % STYLES}")
        for number, row in enumerate(series.values())
        if row
    ]
    marks.append(
        tag(
            "svg",
            *paths,
            x="0",
            y=8.0,
            width="100%",
            height=float(PLOT),
            viewBox="0 0 1000 1000",
            preserveAspectRatio="none",
            class_="plot",
        )
    )
    marks.append(scale.labels(PLOT + 24.0))
    told = "; ".join(
        f"{name}: half of {len(row)} within {ms(percentile(row, 0.5) or 0.0)}, "
        f"95 % within {ms(percentile(row, 0.95) or 0.0)}, all within {ms(max(row))}"
        for name, row in series.items()
        if row
    )
    return picture(key, title, f"{told}.", PLOT + 30.0, *marks)


def stacks(key: str, title: str, columns: Mapping[str, Mapping[str, Figures]]) -> Markup:
    """The mean spans of each column, end to end: their length together is the mean gap."""
    totals = {label: sum(f.mean for f in spans.values()) for label, spans in columns.items()}
    scale = axis(max(totals.values(), default=0.0))
    marks: list[Markup] = []
    for number, (label, spans) in enumerate(columns.items()):
        top, at = number * ROW, 0.0
        marks += [
            tag("text", label, x="0", y=top + 13.0, class_="name"),
            tag("text", ms(totals[label]), x="100%", y=top + 13.0, text_anchor="end"),
            scale.lines(26, top + 18),
        ]
        for name, figures in spans.items():
            marks.append(_segment(name, at, figures.mean, top + 20, scale, span_class(name)))
            at += figures.mean
    height = len(columns) * ROW
    marks.append(scale.labels(height + 14.0))
    told = "; ".join(
        f"{label}: {ms(totals[label])} = "
        + " + ".join(f"{name} {ms(f.mean)}" for name, f in spans.items())
        for label, spans in columns.items()
    )
    return picture(key, title, f"{told}.", height + 20.0, *marks)


def picture(key: str, title: str, description: str, height: float, *marks: Markup) -> Markup:
    """A picture with what it is and what it shows, in words; `key` is unique on the page."""
    return tag(
        "svg",
        tag("title", title, id=f"{key}-title"),
        tag("desc", description, id=f"{key}-desc"),
        *marks,
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
        width="100%",
        height=height,
        class_="picture",
    )


def _segment(
    name: str, at: float, seconds: float, y: float, scale: ChartAxis, style: str
) -> Markup:
    placed: dict[str, Attribute] = {
        "x": percent(scale.share(at)),
        "y": float(y),
        "width": percent(scale.share(seconds)),
        "height": 20.0,
    }
    full: dict[str, Attribute] = {"width": "100%", "height": "100%"}
    inside = [tag("title", f"{name} {ms(seconds)}"), tag("rect", class_=f"bar {style}", **full)]
    if "waits" in style:
        inside.append(tag("rect", class_="hatch", **full))
    # A name that does not fit is cut off with its segment; the table beside it has them all.
    if scale.share(seconds) > 0.08:
        inside.append(tag("text", name, x="5", y="14", class_="inside"))
    return tag("svg", *inside, **placed)


def _dot(seconds: float, number: int, y: float, scale: ChartAxis, style: str) -> Markup:
    # Apart from its neighbours, so that turns that took as long can be told from one.
    away = (-6, 2, -2, 6, 0, -4, 4)[number % 7]
    x = percent(scale.share(seconds))
    return tag("circle", cx=x, cy=float(y + away), r=3.5, class_=f"dot {style}")


def _tick(seconds: float, share: float, y: float, last: bool) -> Markup:
    anchor = "start" if share == 0 else "end" if share > 0.95 else "middle"
    text = (
        seconds_said(seconds) if last or not seconds else seconds_said(seconds).removesuffix(" s")
    )
    return tag("text", text, x=percent(share), y=y, text_anchor=anchor, class_="tick")


def seconds_said(seconds: float) -> str:
    """A tick of an axis."""
    return f"{seconds:g} s" if seconds else "0"


def _steps(values: Sequence[float], scale: ChartAxis) -> str:
    """The path of an empirical distribution, on a square of a thousand by a thousand."""
    ordered, path = sorted(values), "M0 1000"
    for number, seconds in enumerate(ordered, 1):
        path += f" H{scale.share(seconds) * 1000:.1f} V{1000 - number * 1000 / len(ordered):.1f}"
    return f"{path} H1000"
