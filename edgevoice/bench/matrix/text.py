"""A sweep as one table: a line for each combination, the best of each column marked."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from edgevoice.bench.compare.compare import compare
from edgevoice.bench.matrix.sweep import SweepPoint
from edgevoice.bench.result import table as tables
from edgevoice.bench.result.conditions import conditions
from edgevoice.bench.result.result import BenchResult, Figures
from edgevoice.bench.result.wording import wrapped
from edgevoice.bench.stages.cold_start import COLD, WARM
from edgevoice.errors import UsageError

MOST_COLUMNS = 5  # columns of stages that fit beside the memory
BEST = "*"


@dataclass(frozen=True)
class SweepColumn:
    """The value of a result in its own unit, and how it is written: its heading `name`, times
    `scale` with so many `digits`. `field` is the heading in its own unit."""

    name: str
    field: str
    value: Callable[[BenchResult], float | None]
    scale: float = 1000.0
    digits: int = 0
    best: Callable[[Sequence[float]], float] | None = min

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


def table(points: Sequence[SweepPoint]) -> list[str]:
    """The combinations side by side, what failed, and what cannot be told from the best."""
    measured = [(point.cell.label, point.result) for point in points if point.result is not None]
    lines: list[str] = []
    if measured:
        results = [result for _, result in measured]
        columns = _columns(results)
        cells = [[label for label, _ in measured], *(column.cells(results) for column in columns)]
        lines += tables.table(("", *(f"{c.name} " for c in columns)), zip(*cells, strict=True))
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
    memory = SweepColumn("memory", "peak_rss", lambda r: float(r.peak_rss), 1e-9, 2)
    if results[0].command == "starts":
        return [*(column for kind in (COLD, WARM) for column in _of_starts(kind)), memory]
    if results[0].command == "stages":
        return [*_of_stages(results)[:MOST_COLUMNS], memory]

    def rate(result: BenchResult) -> float | None:
        found = result.variants[0].summary.tokens_per_second
        return found.p50 if found else None

    return [
        SweepColumn("n", "turns", lambda r: float(r.variants[0].summary.turns), 1.0, best=None),
        SweepColumn("p50", "response_time.p50", _response_time),
        SweepColumn("p95", "response_time.p95", lambda r: f.p95 if (f := _figures(r)) else None),
        SweepColumn("tokens/s", "tokens_per_second.p50", rate, 1.0, 1, max),
        SweepColumn("WER %", "wer", lambda r: r.variants[0].summary.wer, 100.0, 1),
        memory,
    ]


def _of_starts(kind: str) -> list[SweepColumn]:
    name = kind.split()[0]

    def middle(value: str) -> Callable[[BenchResult], float | None]:
        def found(result: BenchResult) -> float | None:
            values = [getattr(one, value) for one in result.starts if one.variant == kind]
            there = [value for value in values if value is not None]
            return median(there) if there else None

        return found

    return [
        SweepColumn(name, f"{name}_ready", middle("ready")),
        SweepColumn("answer", f"{name}_response_time", middle("response_time")),
    ]


def _of_stages(results: Sequence[BenchResult]) -> list[SweepColumn]:
    """The most telling quantities of each stage that was measured."""

    def middle(quantity: str) -> Callable[[BenchResult], float | None]:
        return lambda result: next(
            (one.figures.p50 for one in result.stages if one.quantity == quantity), None
        )

    wanted = {
        "frame": SweepColumn("frame", "frame.p50", middle("frame"), digits=3),
        "judgement": SweepColumn("endpoint", "judgement.p50", middle("judgement")),
        "reading": SweepColumn("reading", "reading.p50", middle("reading")),
        "ttft": SweepColumn("1st token", "ttft.p50", middle("ttft")),
        "decode": SweepColumn("tokens/s", "decode.p50", middle("decode"), 1.0, 1, max),
        "first_sound": SweepColumn("1st sound", "first_sound.p50", middle("first_sound")),
    }
    there = {one.quantity for result in results for one in result.stages}
    return [column for quantity, column in wanted.items() if quantity in there]


def _figures(result: BenchResult) -> Figures | None:
    return result.variants[0].summary.response_time


def _response_time(result: BenchResult) -> float | None:
    figures = _figures(result)
    return figures.p50 if figures else None


def _alike(measured: Sequence[tuple[str, BenchResult]]) -> list[str]:
    """Which response times cannot be told from the best one by these questions."""
    timed = [(time, label, r) for label, r in measured if (time := _response_time(r)) is not None]
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
