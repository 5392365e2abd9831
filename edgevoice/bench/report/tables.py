"""The tables of a report, for the page, plain text and Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Union

from edgevoice.bench.report.report import Report, ReportColumn
from edgevoice.bench.result.result import BenchTurn, Figures, Summary
from edgevoice.bench.result.text import troubles
from edgevoice.bench.result.wording import MISSING, counted, ms

Cell = Union[str, tuple[str, str]]
"""Text, or a percentile with its confidence interval."""

COMPARED = (
    *("", "n", "p50", "p95", "mean", "first token", "tokens/s"),
    *("WER", "cut off", "dropped", "underruns"),
)
FIGURES = ("n", "p50", "p90", "p95", "p99", "mean")
RATE_COLUMNS = ("", "n", "p50", "p95", "mean", "unit")


def comparison(report: Report) -> list[list[Cell]]:
    """A row for each column of the report, by COMPARED."""
    rows: list[list[Cell]] = []
    for column in report.columns:
        s = column.summary
        times: list[Cell] = ["", "nothing was answered", "", ""]
        if s.response_time is not None:
            cells = _figures(s.response_time)
            times = [cells[head] for head in COMPARED[1:5]]
        rates = [
            "" if s.ttft is None else ms(s.ttft.p50),
            "" if s.tokens_per_second is None else f"{s.tokens_per_second.p50:.1f}",
            "" if s.wer is None else f"{s.wer * 100:.1f} %",
        ]
        rows.append([column.name, *times, *rates, *map(str, (s.cut_off, s.dropped, s.underruns))])
    return rows


def plain(rows: Iterable[Sequence[Cell]]) -> list[list[str]]:
    """The rows without confidence intervals."""
    return [[cell if isinstance(cell, str) else cell[0] for cell in row] for row in rows]


def measured(column: ReportColumn) -> dict[str, Figures]:
    """The statistics of the response time, if it was measured, and of each span."""
    found = column.summary.response_time
    return {**({"response time": found} if found else {}), **column.summary.spans}


def spans(report: Report) -> list[list[str]]:
    """Median and 95th percentile of each span, in each column of the report."""
    found = [measured(column) for column in report.columns]
    return [
        [name, *(f"{ms(f.p50)} / {ms(f.p95)}" if (f := own.get(name)) else "" for own in found)]
        for name in (*report.spans, "response time")
    ]


def figures(found: Mapping[str, Figures], heads: Sequence[str]) -> list[list[Cell]]:
    """The response time and its spans in milliseconds, by `heads`."""
    return [[name, *(_figures(f)[head] for head in heads)] for name, f in found.items()]


def _figures(f: Figures) -> dict[str, Cell]:
    cells: dict[str, Cell] = {"n": str(f.n), "mean": ms(f.mean)}
    for name in ("p50", "p90", "p95", "p99"):
        value, low = getattr(f, name), getattr(f, f"{name}_low")
        cells[name] = "" if value is None else ms(value)
        if name in ("p50", "p95") and low is not None:
            interval = f"{round(low * 1000)}–{round(getattr(f, f'{name}_high') * 1000)}"
            cells[name] = (ms(value), interval)
    return cells


def rates(s: Summary) -> list[list[str]]:
    """Rates and costs in their own units, by RATE_COLUMNS."""
    found = (
        ("first token", s.ttft, "s from the beginning of the prompt", 3),
        ("reply", s.tokens_per_second, "tokens a second", 1),
        ("prefill", s.prefill_rate, "tokens a second", 1),
        ("recognition", s.stt_rtf, "s for each second of sound", 3),
        ("synthesis", s.tts_rtf, "s for each second of sound", 3),
        ("speech", s.words_per_minute, "words a minute", 0),
        ("processor", s.cpu_seconds, "s of processor time a turn", 2),
        ("energy", s.energy, "J a turn", 1),
    )
    return [
        [name, str(f.n), *(f"{value:.{digits}f}" for value in (f.p50, f.p95, f.mean)), unit]
        for name, f, unit, digits in found
        if f is not None
    ]


def all_turns(column: ReportColumn) -> tuple[list[str], list[list[str]]]:
    """Heads, and a row for each turn."""
    names = list(dict.fromkeys(name for turn in column.turns for name in turn.spans))
    heads = [
        "question",
        "response time",
        *(f"{name} ms" for name in names),
        "first token",
        "tokens/s",
    ]
    rows = []
    for turn in column.turns:
        cells = [
            "" if turn.response_time is None else ms(turn.response_time),
            *(f"{turn.spans[name] * 1000:.0f}" if name in turn.spans else "" for name in names),
            "" if turn.ttft is None else ms(turn.ttft),
            "" if turn.tokens_per_second is None else f"{turn.tokens_per_second:.1f}",
            f"{turn.prompt_tokens} ({turn.reused_tokens})" if turn.prompt_tokens else "",
        ]
        rows.append([turn.question, *cells, turn.reply, turn.transcript, _notes(turn)])
    return [*heads, "prompt (reused)", "reply", "recognized", "notes"], rows


def _notes(turn: BenchTurn) -> str:
    wrong = counted(turn.word_errors or 0, "word")
    notes = {
        "cut off": turn.cut_off,
        f"dropped: {turn.dropped}": turn.dropped,
        counted(turn.underruns, "underrun"): turn.underruns,
        counted(turn.false_starts, "false start"): turn.false_starts,
        f"{wrong} wrong": turn.word_errors,
    }
    return "; ".join(note for note, applies in notes.items() if applies)


def failures(column: ReportColumn) -> list[tuple[str, str, str]]:
    """Each thing that went wrong: its kind, question and details; sorted by kind."""
    found = [(kind, turn.question, what) for turn in column.turns for kind, what in troubles(turn)]
    order = ("cut off", "dropped", "underrun", "misread")
    return sorted(found, key=lambda trouble: order.index(trouble[0]))


def differing(report: Report) -> list[list[str]]:
    """The facts in which the columns differ, a cell for each column."""
    found = [facts(column) for column in report.columns]
    names = dict.fromkeys(name for each in found for name in each)
    rows = [[name, *(each.get(name, "") for each in found)] for name in names]
    return [row for row in rows if len(set(row[1:])) > 1]


def facts(column: ReportColumn) -> dict[str, str]:
    """What was measured, on which machine and how."""
    result, machine = column.result, column.result.machine
    through = "the pipeline itself, without a device"
    if result.played_to:
        through = f"{result.input}, played to {result.played_to}"
    settings = (
        f"{key}={str(value).lower() if isinstance(value, bool) else value}"
        for key, value in column.settings.items()
    )
    found = {
        "machine": f"{machine.cpu}, {counted(machine.usable_cores, 'core')}, "
        f"{machine.memory / 2**30:.1f} GiB",
        "system": f"{machine.system}, Python {machine.python}",
        **{
            f"{role} model": f"{model.name} (shape)" if model.shape else model.name
            for role, model in result.models.items()
        },
        "settings": ", ".join(settings) or "default",
        "questions": result.questions + (" in one conversation" if result.conversation else ""),
        "heard through": through,
        "edgevoice": result.edgevoice,
        "libraries": ", ".join(f"{name} {version}" for name, version in result.libraries.items()),
        "load before": MISSING if machine.load_before is None else f"{machine.load_before:.2f}",
        "peak memory": f"{result.peak_rss / 2**20:.0f} MiB",
        "started": f"{result.started[:16].replace('T', ' ')}, took {result.seconds:.0f} s",
    }
    return {name: words for name, words in found.items() if words}
