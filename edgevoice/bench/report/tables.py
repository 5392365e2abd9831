"""The tables of a page: every figure that a picture shows, and some that none does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from edgevoice.bench.report import wording
from edgevoice.bench.report.markup import Child, Markup, joined, tag
from edgevoice.bench.report.report import Report, ReportColumn, ReportSource
from edgevoice.bench.report.wording import quick
from edgevoice.bench.result.device_record import Roofline
from edgevoice.bench.result.result import BenchTurn, Figures
from edgevoice.bench.result.wording import counted, ms

Row = Sequence[Child]
"""Its name, and a cell for each column."""

REPLY_SHOWN = 240
"""Characters of a reply that stand above its waterfall; the table of all turns has it whole."""

HEADS = ("n", "p50", "p95", "mean")
SHOWN = ("n", "p50", "p90", "p95", "p99", "mean")
COMPARED = ("", *HEADS, "first token", "tokens/s", "WER", "cut off", "dropped", "underruns")
RATES = ("", *HEADS, "unit")
FLOORS = ("stage", "for", "at least", "measured", "reached", "bound by")


def comparison(report: Report) -> list[Row]:
    """A row a column of the report, by `COMPARED`: its gap, its rates and what went wrong."""
    rows: list[Row] = []
    for column in report.columns:
        s, gap = column.summary, column.summary.gap
        figures: Row = [""] * 4
        if gap is not None:
            figures = [gap.n, _sure(gap, "p50"), _sure(gap, "p95"), ms(gap.mean)]
        rates = [
            "" if s.ttft is None else ms(s.ttft.p50),
            "" if s.tokens_per_second is None else f"{s.tokens_per_second.p50:.1f}",
            "" if s.wer is None else f"{s.wer * 100:.1f} %",
        ]
        name = column.label + (" (shape)" if column.shapes else "")
        rows.append([name, *figures, *rates, s.cut_off, s.dropped, s.underruns])
    return rows


def spans(report: Report) -> list[Row]:
    """Median and 95th percentile of each span, in each column of the report."""
    all_spans = []
    for column in report.columns:
        gap = {} if column.summary.gap is None else {"gap": column.summary.gap}
        all_spans.append({**column.summary.spans, **gap})
    return [
        [name, *(f"{ms(f.p50)} / {ms(f.p95)}" if (f := own.get(name)) else "" for own in all_spans)]
        for name in (*report.spans, "gap")
    ]


def ratio(source: ReportSource) -> str:
    """The plain sequence against the pipeline, in a sentence."""
    found = source.result.ratio
    assert found is not None
    return (
        f"{source.name}: the plain sequence takes {found.of_questions:.1f} times as long "
        f"(median of {counted(found.n, 'question')}; {found.of_p50:.1f} by p50)."
    )


def facts(found: Mapping[str, Sequence[str]]) -> list[Row]:
    """What was measured, a cell for each column."""
    return [[name, *values] for name, values in found.items()]


def heads(found: Mapping[str, Figures]) -> Sequence[str]:
    """Of `figures`: `SHOWN` if there is more than `HEADS` in them."""
    more = any(f.p90 is not None or f.p99 is not None for f in found.values())
    return ("", *(SHOWN if more else HEADS))


def figures(found: Mapping[str, Figures]) -> list[Row]:
    """The gap and its spans, in milliseconds, by `heads`; what one does not have is empty."""
    rows: list[Row] = []
    for name, f in found.items():
        cells: dict[str, Child] = {
            "n": f.n,
            "p50": _sure(f, "p50"),
            "p90": "" if f.p90 is None else ms(f.p90),
            "p95": _sure(f, "p95"),
            "p99": "" if f.p99 is None else ms(f.p99),
            "mean": ms(f.mean),
        }
        rows.append([name, *(cells[head] for head in heads(found)[1:])])
    return rows


def rates(column: ReportColumn) -> list[Row]:
    """What is not a span, by `RATES`: rates and what a turn takes, in their own units."""
    return [
        [name, f.n, *(f"{value:.{digits}f}" for value in (f.p50, f.p95, f.mean)), unit]
        for name, f, unit, digits in wording.rates(column.summary)
    ]


def roofline(found: Roofline | None) -> list[Row]:
    """How near each stage came to the least time that the machine could take, by `FLOORS`."""
    return [
        [
            *(floor.stage, floor.per, quick(floor.floor), quick(floor.measured)),
            "" if floor.share is None else f"{floor.share:.0%}",
            floor.bound or floor.why,
        ]
        for floor in (found.floors if found else ())
    ]


def turn_spans(column: ReportColumn) -> list[str]:
    """The spans that any of its turns has."""
    return list(dict.fromkeys(name for turn in column.turns for name in turn.spans))


def turn_heads(names: Sequence[str]) -> Sequence[str]:
    """The heads of the table of all turns, which have the spans `names`."""
    return (
        *("question", "gap", *(f"{name} ms" for name in names)),
        *("first token", "tokens/s", "prompt (reused)"),
        *("reply", "recognized", "notes"),
    )


def turn_cells(turn: BenchTurn, names: Sequence[str]) -> Row:
    """The figures of a turn, by `turn_heads`."""
    return [
        "" if turn.gap is None else ms(turn.gap),
        *(f"{turn.spans[name] * 1000:.0f}" if name in turn.spans else "" for name in names),
        "" if turn.ttft is None else ms(turn.ttft),
        "" if turn.tokens_per_second is None else f"{turn.tokens_per_second:.1f}",
        f"{turn.prompt_tokens} ({turn.reused_tokens})" if turn.prompt_tokens else "",
    ]


def _sure(f: Figures, which: Literal["p50", "p95"]) -> Markup:
    """A percentile, and where it lies with 95 % confidence."""
    low, high = (f.p50_low, f.p50_high) if which == "p50" else (f.p95_low, f.p95_high)
    value = ms(f.p50 if which == "p50" else f.p95)
    if low is None or high is None:
        return joined(value)
    between = f"{round(low * 1000)}–{round(high * 1000)}"
    return joined(value, tag("small", f" {between}"))
