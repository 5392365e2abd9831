"""A report as plain text of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgevoice.bench.report import tables
from edgevoice.bench.report.report import Report, ReportColumn, shown_turns, timings
from edgevoice.bench.report.trend import described
from edgevoice.bench.result.result import BenchResult
from edgevoice.bench.result.wording import WIDTH, paragraphs, table, wrapped
from edgevoice.bench.soak import text as soak_text
from edgevoice.bench.stages import text as stages_text
from edgevoice.waterfall import render_waterfall, sparkline

_NARROW = (0, 1, 2, 3, 4, 7, 8, 9)
"""The columns of the comparison that fit a terminal."""


def text(report: Report) -> list[str]:
    """The comparison, then for each file its table, two waterfalls and its course."""
    parts: list[Sequence[str]] = []
    if len(report.columns) > 1:
        rows = [tables.COMPARED, *tables.plain(tables.comparison(report))]
        heads, *cells = ([row[i] for i in _NARROW] for row in rows)
        parts += [table(heads, cells), list(_differences(report))]
    for source in report.sources:
        own = [column for column in report.columns if column.source is source]
        if len(report.sources) > 1:
            parts.append([f"── {source.name[: WIDTH - 4]} ".ljust(WIDTH, "─")])
        parts.append(drawn(source.result))
        for column in own:
            parts += _course(column, alone=len(own) == 1)
    return paragraphs(parts)


def _differences(report: Report) -> Iterator[str]:
    for name, *values in tables.differing(report):
        yield f"{name}:"
        for column, value in zip(report.columns, values, strict=True):
            yield from wrapped(f"{column.label}: {value or 'none'}", "  ", "    ")


def drawn(result: BenchResult) -> list[str]:
    """A result as its bench prints it."""
    draws = {"stages": stages_text.stages, "starts": stages_text.starts}
    return draws.get(result.command, soak_text.whole)(result)


def _course(column: ReportColumn, alone: bool) -> Iterator[list[str]]:
    """The waterfalls of the median and the worst turn, and the response time over the run."""
    who = "" if alone else f"{column.variant.name}, "
    for name, turn in shown_turns(column):
        title = wrapped(f"{who}{name}: {turn.question}")
        yield [*title, *render_waterfall(timings(turn), WIDTH)[1:]]
    if len(column.response_times) > 1:
        told = f"{who}over the run: {described(column.turns)}"
        yield [*wrapped(told, later=""), sparkline(column.response_times, WIDTH)]
