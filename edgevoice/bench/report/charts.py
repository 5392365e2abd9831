"""The geometry and descriptions of a report's charts; charts.html draws them as SVG.

Positions are shares of the width, so that a chart is as wide as its place and its text keeps its
size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgevoice.bench.report.report import WAITING_SPANS
from edgevoice.bench.result.quantities import BASELINE_SPANS
from edgevoice.bench.result.result import Figures
from edgevoice.bench.result.wording import ms
from edgevoice.timings import SPANS

STYLES = 6
"""Number of line styles, and of colours for spans outside the pipeline."""


@dataclass(frozen=True)
class ChartAxis:
    """A scale from 0 to `top` seconds, with a line at each of `ticks`."""

    top: float
    ticks: tuple[float, ...]

    def share(self, seconds: float) -> float:
        """A place on the axis, from 0 to 1."""
        return seconds / self.top

    def at(self, seconds: float) -> str:
        """The same as a share of the width."""
        return percent(self.share(seconds))

    def label(self, tick: float) -> str:
        """The text of a tick; only the last one has its unit."""
        return f"{tick:g} s" if tick == self.ticks[-1] and tick else f"{tick:g}"

    def steps(self, values: Sequence[float]) -> str:
        """The path of an empirical distribution, on a square of 1000 by 1000."""
        ordered, path = sorted(values), "M0 1000"
        for number, seconds in enumerate(ordered, 1):
            height = 1000 - number * 1000 / len(ordered)
            path += f" H{self.share(seconds) * 1000:.1f} V{height:.1f}"
        return f"{path} H1000"


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


def axis_of(rows: Mapping[str, Sequence[float]]) -> ChartAxis:
    """A scale that holds all values."""
    return axis(max((value for row in rows.values() for value in row), default=0.0))


def number(value: float) -> str:
    """A coordinate with at most two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def percent(share: float) -> str:
    """A share of the width, 0 to 1."""
    return f"{number(min(1.0, max(0.0, share)) * 100)}%"


def span_class(name: str) -> str:
    """The classes for the colour of a span, and for its hatching if it is waiting."""
    if name in SPANS:
        colour = f"span-{SPANS.index(name)}"
    elif name in BASELINE_SPANS:
        colour = f"other-{BASELINE_SPANS.index(name)}"
    else:
        taken = len(BASELINE_SPANS)
        colour = f"other-{taken + sum(map(ord, name)) % (STYLES - taken)}"
    return f"{colour} waits" if name in WAITING_SPANS else colour


def stacks_described(columns: Mapping[str, Mapping[str, Figures]]) -> str:
    """The mean spans in words."""
    told = (
        f"{label}: {ms(total(spans))} = "
        + " + ".join(f"{name} {ms(f.mean)}" for name, f in spans.items())
        for label, spans in columns.items()
    )
    return f"{'; '.join(told)}."


def total(spans: Mapping[str, Figures]) -> float:
    """The sum of the mean spans, in seconds."""
    return sum(figures.mean for figures in spans.values())
