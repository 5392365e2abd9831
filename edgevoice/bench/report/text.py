"""A report as plain text of 80 columns, and as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from edgevoice.bench.report.report import (
    WAITS,
    Report,
    ReportColumn,
    ReportSource,
    shown_turns,
    timings,
)
from edgevoice.bench.report.trend import described
from edgevoice.bench.report.wording import counts, differing, facts, ms, troubles
from edgevoice.bench.result import text as result_text
from edgevoice.bench.result.result import BenchTurn
from edgevoice.bench.result.text import WIDTH, counted
from edgevoice.bench.soak import text as soak_text
from edgevoice.bench.stages import text as stages_text
from edgevoice.waterfall import WAIT, WORK, bars, shares, sparkline

_NAME = 13
_TIME = 8


def text(report: Report) -> list[str]:
    """What there is to compare, then every file: its table, two waterfalls and the run in time."""
    lines = _compared(report)
    for source in report.sources:
        own = [column for column in report.columns if column.source is source]
        if len(report.sources) > 1:
            lines += [f"── {source.name[: WIDTH - 4]} ".ljust(WIDTH, "─"), ""]
        lines += [*_table_of(source, own), ""]
        for column in own:
            lines += _falls(column, alone=len(own) == 1)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _table_of(source: ReportSource, own: Sequence[ReportColumn]) -> list[str]:
    """The table that the bench itself printed, where it fits a terminal."""
    if source.result.command == "switches":
        return _in_lines(own)
    draws = {
        "recognition": result_text.recognition,
        "stages": stages_text.stages,
        "starts": stages_text.starts,
    }
    return draws.get(source.result.command, soak_text.whole)(source.result)


def _compared(report: Report) -> list[str]:
    if len(report.columns) < 2:
        return []
    head = (
        f"{'':<26}{'n':>4}{'p50':>9}{'p95':>9}{'mean':>9}{'WER':>8}{'cut':>5}{'drop':>5}{'dry':>5}"
    )
    lines = [head]
    for column in report.columns:
        s = column.summary
        label = column.label + (" (shape)" if column.shapes else "")
        if len(label) > 25:
            lines += textwrap.wrap(label, WIDTH, break_on_hyphens=False)
            label = ""
        cells = "nothing was answered"
        if s.gap is not None:
            times = (s.gap.p50, s.gap.p95, s.gap.mean)
            cells = f"{s.gap.n:>4}" + "".join(f"{ms(time):>9}" for time in times)
        wer = "" if s.wer is None else f"{s.wer * 100:.1f} %"
        lines.append(
            f"{label:<26}{cells:<31}{wer:>8}{s.cut_off:>5}{s.dropped:>5}{s.underruns:>5}".rstrip()
        )
    lines.append("")
    for name, values in differing(report).items():
        lines.append(f"{name}:")
        for column, value in zip(report.columns, values, strict=True):
            told = f"{column.label}: {value or 'none'}"
            lines += textwrap.wrap(
                told, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
            )
    return [*lines, ""]


def _in_lines(columns: Sequence[ReportColumn]) -> list[str]:
    """Each technique with what it buys, where the table of a bench is too wide for a terminal."""
    base = columns[0].summary.gap
    lines = [f"{'p50':>9}{'p95':>9}"]
    for column in columns:
        gap = column.summary.gap
        if gap is None:
            told = f"nothing was answered: {column.variant.name}"
            lines += textwrap.wrap(told, WIDTH, subsequent_indent=" " * 20)
            continue
        bought = ""
        if base is not None and column is not columns[0]:
            bought = f" ({round((gap.p50 - base.p50) * 1000):+} ms p50)"
        told = f"{column.variant.name}{bought}"
        lines += textwrap.wrap(
            f"{ms(gap.p50):>9}{ms(gap.p95):>9}  {told}", WIDTH, subsequent_indent=" " * 20
        )
    return lines


def _falls(column: ReportColumn, alone: bool) -> list[str]:
    """The waterfalls of the median and the worst turn, and how the gap went over the run."""
    lines: list[str] = []
    who = "" if alone else f"{column.variant.name}, "
    for name, turn in shown_turns(column):
        head = f"{who}{name}: {turn.question}"
        lines += textwrap.wrap(head, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
        lines += [*_fall(turn), ""]
    if len(column.gaps) > 1:
        lines += textwrap.wrap(f"{who}over the run: {described(column.turns)}", WIDTH)
        lines += [sparkline(column.gaps, WIDTH), ""]
    return lines


def _fall(turn: BenchTurn) -> list[str]:
    axis = WIDTH - _NAME - _TIME - 2
    rows = []
    for bar in bars(timings(turn), axis):
        cells = bar.cells.replace(WORK, WAIT) if bar.name in WAITS else bar.cells
        told = f"{bar.ms} ms"
        rows.append(f"{bar.name[:_NAME]:<{_NAME}} {told:>{_TIME}} {cells}".rstrip())
    return [*rows, f"{'gap':<{_NAME}} {ms(turn.gap or 0.0):>{_TIME}}"]


def markdown(report: Report) -> list[str]:
    """The same as Markdown: tables of figures, waterfalls and troubles."""
    lines = ["# Latency profile", ""]
    heads = ("", "n", "p50", "p95", "mean", "first token", "tokens/s", "WER", "cut off", "dropped")
    rows = []
    for column in report.columns:
        s = column.summary
        gap = ["", "nothing was answered", "", ""]
        if s.gap is not None:
            gap = [str(s.gap.n), ms(s.gap.p50), ms(s.gap.p95), ms(s.gap.mean)]
        rows.append(
            [
                column.label + (" (shape)" if column.shapes else ""),
                *gap,
                "" if s.ttft is None else ms(s.ttft.p50),
                "" if s.tokens_per_second is None else f"{s.tokens_per_second.p50:.1f}",
                "" if s.wer is None else f"{s.wer * 100:.1f} %",
                str(s.cut_off),
                str(s.dropped),
            ]
        )
    lines += [*_table(heads, rows), ""]
    if len(report.columns) > 1 and (different := differing(report)):
        labels = ["", *(column.label for column in report.columns)]
        lines += [*_table(labels, [[name, *values] for name, values in different.items()]), ""]
    for source in report.sources:
        lines += _soak(source)
    for column in report.columns:
        lines += [f"## {_cell(column.label)}", "", " · ".join(counts(column)), ""]
        lines += _column(column)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _soak(source: ReportSource) -> list[str]:
    """The verdict of a soak with its reasons and its course; nothing of another bench."""
    if (soak := source.result.soak) is None:
        return []
    reasons = [f"- {_cell(finding.told)}" for finding in soak.findings]
    lines = [f"## {_cell(source.name)}: {_cell(soak_text.headline(soak))}", "", *reasons, ""]
    columns = soak_text.shown(soak.windows)
    rows = zip(*columns.values(), strict=True)
    return [*lines, *(_table(list(columns), list(rows)) if columns else []), ""]


def _column(column: ReportColumn) -> list[str]:
    lines: list[str] = []
    figures = dict(column.summary.spans)
    if column.summary.gap is not None:
        figures["gap"] = column.summary.gap
    if figures:
        rows = [[n, str(f.n), ms(f.p50), ms(f.p95), ms(f.mean)] for n, f in figures.items()]
        lines += [*_table(("span", "n", "p50", "p95", "mean"), rows), ""]
    if falls := shown_turns(column):
        timed = {name: dict(shares(timings(turn))) for name, turn in falls}
        spans = list(dict.fromkeys(span for each in timed.values() for span in each))
        rows = [
            ["question", *(turn.question for _, turn in falls)],
            *([s, *(f"{each.get(s, 0)} ms" for each in timed.values())] for s in spans),
            ["gap", *(ms(turn.gap or 0.0) for _, turn in falls)],
        ]
        lines += [*_table(("", *timed), rows), ""]
    wrong = [f"- {t.kind}: {_cell(t.question)}: {_cell(t.what)}" for t in troubles(column)]
    wrong += [f"- left out: {_cell(name)}" for name in column.result.left_out]
    if wrong:
        lines += [f"{counted(len(wrong), 'thing')} went wrong:", "", *wrong, ""]
    lines += [*_table(("", ""), [[name, told] for name, told in facts(column).items()]), ""]
    return lines


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *rows]
    return [f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines]


def _cell(words: str) -> str:
    """Text that neither ends a cell nor begins markup of its own."""
    for sign in ("\\", "|", "<", "*", "_", "`", "["):
        words = words.replace(sign, f"\\{sign}")
    return " ".join(words.split())
