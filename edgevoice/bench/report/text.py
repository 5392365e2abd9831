"""A report as plain text of 80 columns, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgevoice.bench.report import tables
from edgevoice.bench.report.report import (
    Report,
    ReportColumn,
    ReportSource,
    shown_turns,
    timings,
)
from edgevoice.bench.report.trend import described
from edgevoice.bench.result import text as result_text
from edgevoice.bench.result.wording import (
    WIDTH,
    counted,
    escaped,
    markdown_table,
    ms,
    paragraphs,
    table,
    wrapped,
)
from edgevoice.bench.soak import text as soak_text
from edgevoice.bench.stages import text as stages_text
from edgevoice.waterfall import render_waterfall, shares, sparkline

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
        parts.append(_measured(source))
        for column in own:
            parts += _course(column, alone=len(own) == 1)
    return paragraphs(parts)


def _differences(report: Report) -> Iterator[str]:
    for name, *values in tables.differing(report):
        yield f"{name}:"
        for column, value in zip(report.columns, values, strict=True):
            yield from wrapped(f"{column.label}: {value or 'none'}", "  ", "    ")


def _measured(source: ReportSource) -> list[str]:
    """The table that the bench printed; that of `switches` is too wide, and is compared above."""
    draws = {
        "recognition": result_text.recognition,
        "stages": stages_text.stages,
        "starts": stages_text.starts,
        "switches": result_text.heading,
    }
    return draws.get(source.result.command, soak_text.whole)(source.result)


def _course(column: ReportColumn, alone: bool) -> Iterator[list[str]]:
    """The waterfalls of the median and the worst turn, and the response time over the run."""
    who = "" if alone else f"{column.variant.name}, "
    for name, turn in shown_turns(column):
        title = wrapped(f"{who}{name}: {turn.question}")
        yield [*title, *render_waterfall(timings(turn), WIDTH)[1:]]
    if len(column.response_times) > 1:
        told = f"{who}over the run: {described(column.turns)}"
        yield [*wrapped(told, later=""), sparkline(column.response_times, WIDTH)]


def markdown(report: Report) -> list[str]:
    """The same as Markdown: tables of figures, waterfalls and failures."""
    compared = markdown_table(tables.COMPARED, tables.plain(tables.comparison(report)))
    parts: list[Sequence[str]] = [["# Latency profile"], compared]
    labels = [column.label for column in report.columns]
    if len(labels) > 1 and (different := tables.differing(report)):
        parts.append(markdown_table(["", *labels], different, words=range(len(labels) + 1)))
    for source in report.sources:
        if (soak := source.result.soak) is not None:
            title = f"## {escaped(source.name)}: {escaped(soak_text.headline(soak))}"
            parts += [[title], [f"- {escaped(finding.reason)}" for finding in soak.findings]]
            if columns := soak_text.shown(soak.windows):
                rows = zip(*columns.values(), strict=True)
                parts.append(markdown_table(list(columns), rows))
    for column in report.columns:
        parts += [
            [f"## {escaped(column.label)}"],
            [" · ".join(result_text.outcome(column.summary, column.result.command))],
        ]
        parts += _column(column)
    return paragraphs(parts)


def _column(column: ReportColumn) -> Iterator[list[str]]:
    found = tables.measured(column)
    heads = ("n", "p50", "p95", "mean")
    if found:
        yield markdown_table(("span", *heads), tables.plain(tables.figures(found, heads)))
    if turns := shown_turns(column):
        timed = [dict(shares(timings(turn))) for _, turn in turns]
        spans = dict.fromkeys(span for each in timed for span in each)
        rows = [
            ["question", *(turn.question for _, turn in turns)],
            *([span, *(f"{each.get(span, 0)} ms" for each in timed)] for span in spans),
            ["response time", *(ms(turn.response_time or 0.0) for _, turn in turns)],
        ]
        yield markdown_table(("", *(name for name, _ in turns)), rows)
    wrong = [f"- {': '.join(map(escaped, failure))}" for failure in tables.failures(column)]
    wrong += [f"- left out: {escaped(name)}" for name in column.result.left_out]
    if wrong:
        yield [f"{counted(len(wrong), 'thing')} went wrong:", "", *wrong]
    facts = tables.facts(column).items()
    yield markdown_table(("", ""), facts, words=(0, 1))
