"""A sweep as one table: a line for each combination, the best of each column marked."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edgevoice.bench.compare.compare import compare
from edgevoice.bench.matrix.sweep import SweepPoint
from edgevoice.bench.result.conditions import conditions
from edgevoice.bench.result.result import BenchResult
from edgevoice.bench.result.summary import figures
from edgevoice.bench.result.wording import table as drawn
from edgevoice.bench.result.wording import wrapped
from edgevoice.errors import UsageError

MOST_COLUMNS = 5  # columns of stages that fit beside the memory
BEST = "*"


@dataclass(frozen=True)
class SweepColumn:
    """A figure of each result: its heading `name`, and how it is written, times `scale` with so
    many `digits`. `field` names the figure, and is the heading in its own unit."""

    name: str
    field: str
    scale: float = 1000.0
    digits: int = 0
    best: Callable[[Sequence[float]], float] | None = min

    def value(self, result: BenchResult) -> float | None:
        """The figure in its own unit; None where it was not measured."""
        name, _, statistic = self.field.partition(".")
        if name == "peak_rss":
            return float(result.peak_rss)
        found: Any = getattr(result.variants[0].summary, name, None)
        if result.command == "starts":
            (kind, _, moment), statistic = name.partition("_"), "p50"
            starts = (one for one in result.starts if one.variant == f"{kind} start")
            found = figures(getattr(one, moment) for one in starts)
        elif result.command == "stages":
            found = {one.quantity: one.figures for one in result.stages}.get(name)
        return getattr(found, statistic, None) if statistic else found

    def cells(self, results: Sequence[BenchResult]) -> list[str]:
        """The text of each value, the best one marked."""
        values = [self.value(result) for result in results]
        there = [value for value in values if value is not None]
        best = self.best(there) if self.best and len(set(there)) > 1 else None
        return [
            ""
            if value is None
            else f"{value * self.scale:.{self.digits}f}{BEST if value == best else ' '}"
            for value in values
        ]


_MEDIAN = SweepColumn("p50", "response_time.p50")
_MEMORY = SweepColumn("memory", "peak_rss", 1e-9, 2)
COLUMNS = {
    "run": (
        SweepColumn("n", "turns", 1.0, best=None),
        _MEDIAN,
        SweepColumn("p95", "response_time.p95"),
        SweepColumn("tokens/s", "tokens_per_second.p50", 1.0, 1, max),
        SweepColumn("WER %", "wer", 100.0, 1),
    ),
    "starts": (
        SweepColumn("cold", "cold_ready"),
        SweepColumn("answer", "cold_response_time"),
        SweepColumn("warm", "warm_ready"),
        SweepColumn("answer", "warm_response_time"),
    ),
    "stages": (
        SweepColumn("frame", "frame.p50", digits=3),
        SweepColumn("endpoint", "judgement.p50"),
        SweepColumn("reading", "reading.p50"),
        SweepColumn("1st token", "ttft.p50"),
        SweepColumn("tokens/s", "decode.p50", 1.0, 1, max),
        SweepColumn("1st sound", "first_sound.p50"),
    ),
}
"""The columns by command, beside the memory; of stages those that were measured."""


def table(points: Sequence[SweepPoint]) -> list[str]:
    """The combinations side by side, what failed, and what cannot be told from the best."""
    measured = [(point.cell.label, point.result) for point in points if point.result is not None]
    lines: list[str] = []
    if measured:
        results = [result for _, result in measured]
        columns = _columns(results)
        cells = [[label for label, _ in measured], *(column.cells(results) for column in columns)]
        lines += drawn(("", *(f"{c.name} " for c in columns)), zip(*cells, strict=True), apart=1)
        for label, result in measured:
            lines += conditions(result, label)
        if len(measured) > 1:
            lines += ["", f"{BEST} the best of its column; times in ms, memory in GB"]
            lines += _alike(measured)
    for point in points:
        if point.failed is not None:
            what = "not measured to its end" if point.result else "not measured"
            lines += wrapped(f"{what}: {point.cell.label}: {point.failed.what}")
    return lines


def rows(points: Sequence[SweepPoint]) -> str:
    """The same as tab-separated text, with every figure in its own unit: seconds, bytes."""
    measured = [point.result for point in points if point.result]
    columns = _columns(measured) if measured else []
    out = io.StringIO()
    write = csv.writer(out, delimiter="\t", lineterminator="\n").writerow
    axes = list(dict.fromkeys(name for point in points for name in point.cell.values))
    write([*axes, "file", *(column.field for column in columns), "why_not"])
    for point in points:
        values = [column.value(point.result) if point.result else None for column in columns]
        write(
            [
                *(point.cell.values.get(name, "") for name in axes),
                point.file.name if point.result else "",
                *("" if value is None else f"{value:.6g}" for value in values),
                point.failed.what if point.failed else "",
            ]
        )
    return out.getvalue()


def _columns(results: Sequence[BenchResult]) -> list[SweepColumn]:
    columns = COLUMNS[results[0].command]
    if results[0].command == "stages":
        there = (c for c in columns if any(c.value(result) is not None for result in results))
        columns = tuple(there)[:MOST_COLUMNS]
    return [*columns, _MEMORY]


def _alike(measured: Sequence[tuple[str, BenchResult]]) -> list[str]:
    """Which response times cannot be told from the best one by these questions."""
    timed = [(time, label, r) for label, r in measured if (time := _MEDIAN.value(r)) is not None]
    if len(timed) < 2:
        return []
    _, best, first = min(timed, key=lambda one: one[0])
    alike, unsure = [], False
    for _, label, result in timed:
        if label == best:
            continue
        try:
            found = compare(first, result, (best, label))
        except UsageError:
            unsure = True
            continue
        if not any(c.name == "response time" and c.verdict == "slower" for c in found.changes):
            alike.append(label)
    lines = []
    if alike:
        names = ", ".join(alike)
        text = f"not told from the best response time ({best}) by these questions: {names}"
        lines += wrapped(text)
    if unsure:
        lines += wrapped("too few questions to tell a difference of response times from chance")
    return lines
