"""A sweep as one table: a line for each combination, the best of each column marked."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from edgevoice.bench.compare.compare import compare
from edgevoice.bench.matrix.sweep import SweepPoint
from edgevoice.bench.result.result import BenchResult
from edgevoice.bench.result.wording import WIDTH, wrapped
from edgevoice.bench.stages.cold_start import COLD, WARM
from edgevoice.errors import UsageError

_NAME = 26
MOST = 5
"""Columns of stages that fit beside the memory."""
BEST = "*"


@dataclass(frozen=True)
class SweepColumn:
    """One column: the value of a result in its own unit, and how it is written.

    `field` is its heading where it is written in that unit.
    """

    name: str
    field: str
    value: Callable[[BenchResult], float | None]
    scale: float = 1000.0
    digits: int = 0
    more_is_better: bool = False
    judged: bool = True
    """Whether one value is better than another."""


def table(points: Sequence[SweepPoint]) -> list[str]:
    """The combinations side by side, what could not be measured, and what is no difference."""
    measured = [point for point in points if point.result is not None]
    lines: list[str] = []
    if measured:
        columns = _columns([point.result for point in measured if point.result])
        lines.append(f"{'':<{_NAME}}" + "".join(f"{c.name:>8} " for c in columns).rstrip())
        best = {column.field: _best(column, measured) for column in columns}
        for point in measured:
            lines += _row(point, columns, best)
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
        return [
            SweepColumn("cold", "cold_ready", lambda r: _ready(r, COLD)),
            SweepColumn("answer", "cold_gap", lambda r: _answer(r, COLD)),
            SweepColumn("warm", "warm_ready", lambda r: _ready(r, WARM)),
            SweepColumn("answer", "warm_gap", lambda r: _answer(r, WARM)),
            memory,
        ]
    if results[0].command == "stages":
        return [*_of_stages(results)[:MOST], memory]
    return [
        SweepColumn("n", "turns", lambda r: float(r.variants[0].summary.turns), 1.0, judged=False),
        SweepColumn("p50", "response_time.p50", lambda r: _gap(r, "p50")),
        SweepColumn("p95", "response_time.p95", lambda r: _gap(r, "p95")),
        SweepColumn("tokens/s", "tokens_per_second.p50", _tokens, 1.0, 1, more_is_better=True),
        SweepColumn("WER %", "wer", lambda r: r.variants[0].summary.wer, 100.0, 1),
        memory,
    ]


def _of_stages(results: Sequence[BenchResult]) -> list[SweepColumn]:
    """The quantities that tell most of each stage that was measured."""
    wanted = {
        "frame": ("frame", 1000.0, 3, False),
        "judgement": ("endpoint", 1000.0, 0, False),
        "reading": ("reading", 1000.0, 0, False),
        "ttft": ("1st token", 1000.0, 0, False),
        "decode": ("tokens/s", 1.0, 1, True),
        "first_sound": ("1st sound", 1000.0, 0, False),
    }
    there = dict.fromkeys(one.quantity for result in results for one in result.stages)

    def middle(quantity: str) -> Callable[[BenchResult], float | None]:
        return lambda result: next(
            (one.figures.p50 for one in result.stages if one.quantity == quantity), None
        )

    return [
        SweepColumn(name, f"{quantity}.p50", middle(quantity), scale, digits, more)
        for quantity, (name, scale, digits, more) in wanted.items()
        if quantity in there
    ]


def _gap(result: BenchResult, name: str) -> float | None:
    gap = result.variants[0].summary.response_time
    found: float | None = getattr(gap, name) if gap else None
    return found


def _tokens(result: BenchResult) -> float | None:
    found = result.variants[0].summary.tokens_per_second
    return found.p50 if found else None


def _ready(result: BenchResult, kind: str) -> float | None:
    found = [one.ready for one in result.starts if one.variant == kind]
    return median(found) if found else None


def _answer(result: BenchResult, kind: str) -> float | None:
    found = [
        one.response_time
        for one in result.starts
        if one.variant == kind and one.response_time is not None
    ]
    return median(found) if found else None


def _best(column: SweepColumn, points: Sequence[SweepPoint]) -> float | None:
    found = [value for point in points if (value := _value(column, point)) is not None]
    if len(set(found)) < 2 or not column.judged:
        return None
    return max(found) if column.more_is_better else min(found)


def _value(column: SweepColumn, point: SweepPoint) -> float | None:
    return column.value(point.result) if point.result else None


def _row(
    point: SweepPoint, columns: Sequence[SweepColumn], best: dict[str, float | None]
) -> list[str]:
    cells = ""
    for column in columns:
        value = _value(column, point)
        text = "" if value is None else f"{value * column.scale:.{column.digits}f}"
        mark = BEST if value is not None and value == best[column.field] else " "
        cells += f"{text:>8}{mark}"
    label = point.cell.label
    if len(label) <= _NAME:
        return [f"{label:<{_NAME}}{cells}".rstrip()]
    return [*wrapped(label), f"{'':<{_NAME}}{cells}".rstrip()]


def _alike(points: Sequence[SweepPoint]) -> list[str]:
    """Which gaps are no different from the best one, as far as these questions tell."""
    timed = [(gap, p) for p in points if p.result and (gap := _gap(p.result, "p50")) is not None]
    if len(timed) < 2:
        return []
    _, best = min(timed, key=lambda pair: pair[0])
    alike, untold = [], []
    for _, point in timed:
        if point is best or best.result is None or point.result is None:
            continue
        try:
            found = compare(best.result, point.result, (best.cell.label, point.cell.label))
        except UsageError:
            untold.append(point.cell.label)
            continue
        change = next((change for change in found.changes if change.name == "response time"), None)
        if change is None or change.verdict != "slower":
            alike.append(point.cell.label)
    lines = []
    if alike:
        lines += wrapped(
            f"not told from the best gap ({best.cell.label}) by these questions: {', '.join(alike)}"
        )
    if untold:
        lines += wrapped("too few questions to tell a difference of gaps from chance")
    return [line[:WIDTH] for line in lines]
