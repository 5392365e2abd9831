"""The tables of a page: every figure that a picture shows, and some that none does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from edgevoice.bench.report.charts import axis, span_class, waterfall_bar
from edgevoice.bench.report.markup import Child, Markup, joined, tag
from edgevoice.bench.report.report import Report, ReportColumn, ReportSource, timings
from edgevoice.bench.report.wording import flags, ms, quick, rates
from edgevoice.bench.result.device_record import Roofline
from edgevoice.bench.result.result import BenchTurn, Figures
from edgevoice.bench.result.soak_record import SoakWindow
from edgevoice.bench.result.text import counted
from edgevoice.bench.soak.text import shown
from edgevoice.waterfall import shares

HOW = (
    "The gap is the user's: from the last voiced sample they spoke to the first audible sample "
    "they hear. Its spans stand in the order in which they hold up the answer, and add up to it; "
    "work that was done while the user was still speaking, or behind something slower, is in none. "
    "In a hatched span nobody works: it is waited. A dot is a turn, the line through a row of dots "
    "the median, the broken one the 95th percentile. Small figures beside a percentile are where "
    "it lies with 95 % confidence. Turns that were cut off or dropped are named, and are in no "
    "percentile."
)

PLAIN: Mapping[str, str] = {
    "silence": "silence: 700 ms of it end the question",
    "transcribe": "the whole recording to text",
    "reply": "the whole prompt, then the whole reply",
}
"""The spans of the plain sequence that the pipeline does not have, in words."""

REPLY = 240
"""Characters of a reply that stand above its waterfall; the table of all turns has it whole."""

HEADS = ("n", "p50", "p95", "mean")
SHOWN = ("n", "p50", "p90", "p95", "p99", "mean")


def comparison(report: Report) -> Markup:
    """A row a column of the report: its gap, its rates and what went wrong."""
    heads = ("", *HEADS, "first token", "tokens/s", "WER", "cut off", "dropped", "underruns")
    rows = []
    for column in report.columns:
        s, gap = column.summary, column.summary.gap
        figures: list[Child] = [""] * 4
        if gap is not None:
            figures = [gap.n, _sure(gap, "p50"), _sure(gap, "p95"), ms(gap.mean)]
        rate = "" if s.tokens_per_second is None else f"{s.tokens_per_second.p50:.1f}"
        cells: list[Child] = [
            *figures,
            "" if s.ttft is None else ms(s.ttft.p50),
            rate,
            "" if s.wer is None else f"{s.wer * 100:.1f} %",
            s.cut_off,
            s.dropped,
            s.underruns,
        ]
        name = column.label + (" (shape)" if column.shapes else "")
        rows.append(_row(name, cells))
    return _table("Gap and rates of each", heads, rows)


def spans_of(report: Report) -> Markup:
    """Median and 95th percentile of each span, in each column of the report."""
    all_spans = []
    for column in report.columns:
        gap = {} if column.summary.gap is None else {"gap": column.summary.gap}
        all_spans.append({**column.summary.spans, **gap})
    rows = [
        _row(
            name,
            [f"{ms(f.p50)} / {ms(f.p95)}" if (f := own.get(name)) else "" for own in all_spans],
        )
        for name in (*report.spans, "gap")
    ]
    labels = [column.label for column in report.columns]
    return _table("p50 / p95 of each span", ("p50 / p95", *labels), rows)


def ratio(source: ReportSource) -> str:
    """The plain sequence against the pipeline, in a sentence."""
    found = source.result.ratio
    assert found is not None
    return (
        f"{source.name}: the plain sequence takes {found.of_questions:.1f} times as long "
        f"(median of {counted(found.n, 'question')}; {found.of_p50:.1f} by p50)."
    )


def facts(labels: Sequence[str], table: Mapping[str, Sequence[str]]) -> Markup:
    """What was measured, a column for each of `labels`."""
    rows = [_row(name, list(values), words=True) for name, values in table.items()]
    heads = ("", *labels) if len(labels) > 1 else ()
    return _table("What was measured, on what and how", heads, rows, kind="facts")


def figures(found: Mapping[str, Figures]) -> Markup:
    """The gap and its spans, in milliseconds."""
    more = any(f.p90 is not None or f.p99 is not None for f in found.values())
    rows = [_row(name, _cells(f, more)) for name, f in found.items()]
    heads = ("", *(SHOWN if more else HEADS))
    return _table("Figures of the gap and its spans", heads, rows)


def rates_of(column: ReportColumn) -> Markup | None:
    """What is not a span: rates and what a turn takes, in their own units."""
    rows = [
        _row(name, [f.n, *(f"{value:.{digits}f}" for value in (f.p50, f.p95, f.mean)), unit])
        for name, f, unit, digits in rates(column.summary)
    ]
    return _table("Rates", ("", *HEADS, "unit"), rows, kind="rates") if rows else None


def roofline(found: Roofline) -> Markup:
    """How near each stage came to the least time that the machine could take for it."""
    rows = [
        _row(
            floor.stage,
            [
                floor.per,
                quick(floor.floor),
                quick(floor.measured),
                "" if floor.share is None else f"{floor.share:.0%}",
                floor.bound or floor.why,
            ],
            words=True,
        )
        for floor in found.floors
    ]
    heads = ("stage", "for", "at least", "measured", "reached", "bound by")
    return _table("The least time that the machine could take", heads, rows)


def windows(found: Sequence[SoakWindow]) -> Markup:
    """The course of a soak, a row a window."""
    columns = shown(found)
    rows = [_row(first, rest) for first, *rest in zip(*columns.values(), strict=True)]
    return _table("The course of the soak", list(columns), rows)


def waterfall(name: str, turn: BenchTurn) -> Markup:
    """The spans of one turn, each where it lies in the gap, with its milliseconds."""
    timed = timings(turn)
    scale = axis(sum(max(0.0, seconds) for seconds in turn.spans.values()))
    rows = []
    for span, (_, whole) in zip(timed.spans, shares(timed), strict=True):
        style = span_class(span.name)
        rows.append(
            tag(
                "tr",
                tag("th", span.name, scope="row"),
                tag("td", waterfall_bar(span.start, span.seconds, scale, style), class_="bars"),
                tag("td", f"{whole} ms"),
            )
        )
    ticks = tag("svg", scale.labels(12), width="100%", height=16.0, aria_hidden="true")
    rows.append(
        tag(
            "tr",
            tag("th", "gap", scope="row"),
            tag("td", ticks, class_="bars"),
            tag("td", tag("b", ms(turn.gap or 0.0))),
        )
    )
    said = [tag("p", turn.question)]
    if turn.reply:
        reply = turn.reply if len(turn.reply) <= REPLY else f"{turn.reply[:REPLY]} …"
        said.append(tag("p", "“", reply, "”", class_="small"))
    return tag(
        "div",
        tag("h3", f"{name[0].upper()}{name[1:]}: {ms(turn.gap or 0.0)}"),
        *said,
        tag(
            "table",
            tag("caption", f"Waterfall of the {name}"),
            tag("tbody", *rows),
            class_="waterfall",
        ),
    )


def turns(column: ReportColumn) -> Markup:
    """Every question in the order in which it was asked."""
    spans = list(dict.fromkeys(name for turn in column.turns for name in turn.spans))
    heads = (
        *("question", "gap", *(f"{name} ms" for name in spans)),
        *("first token", "tokens/s", "prompt (reused)"),
        *("reply", "recognized", "notes"),
    )
    rows = []
    for turn in column.turns:
        cells: list[Child] = [
            "" if turn.gap is None else ms(turn.gap),
            *(f"{turn.spans[name] * 1000:.0f}" if name in turn.spans else "" for name in spans),
            "" if turn.ttft is None else ms(turn.ttft),
            "" if turn.tokens_per_second is None else f"{turn.tokens_per_second:.1f}",
            f"{turn.prompt_tokens} ({turn.reused_tokens})" if turn.prompt_tokens else "",
        ]
        words = (turn.reply, turn.recognized, "; ".join(flags(turn)))
        rows.append(
            tag(
                "tr",
                tag("th", turn.question, scope="row"),
                *(tag("td", cell) for cell in cells),
                *(tag("td", text, class_="words") for text in words),
                class_="apart" if turn.cut_off or turn.dropped else None,
            )
        )
    if not rows:
        return tag("p", "No question was asked.", class_="none")
    return _table(f"All turns: {column.label}", heads, rows, kind="turns")


def _cells(f: Figures, more: bool) -> list[Child]:
    """By `SHOWN` if there is `more` than `HEADS`; what one does not have is empty."""
    p90, p99 = ([ms(p) if p is not None else ""] if more else [] for p in (f.p90, f.p99))
    return [f.n, _sure(f, "p50"), *p90, _sure(f, "p95"), *p99, ms(f.mean)]


def _sure(f: Figures, which: Literal["p50", "p95"]) -> Markup:
    """A percentile, and where it lies with 95 % confidence."""
    low, high = (f.p50_low, f.p50_high) if which == "p50" else (f.p95_low, f.p95_high)
    value = ms(f.p50 if which == "p50" else f.p95)
    if low is None or high is None:
        return joined(value)
    between = f"{round(low * 1000)}–{round(high * 1000)}"
    return joined(value, tag("small", f" {between}"))


def _row(name: str, cells: Sequence[Child], words: bool = False) -> Markup:
    style = "words" if words else None
    return tag("tr", tag("th", name, scope="row"), *(tag("td", c, class_=style) for c in cells))


def _table(caption: str, heads: Sequence[str], rows: Sequence[Markup], kind: str = "") -> Markup:
    """A table that can be moved sideways, also by keys, where it is wider than the page."""
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in heads)))
    table = tag(
        "table",
        tag("caption", caption),
        head if heads else None,
        tag("tbody", *rows),
        class_=kind or None,
    )
    return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label=caption)
