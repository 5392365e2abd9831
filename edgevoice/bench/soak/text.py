"""A soak as plain text: its windows, and the verdict with its reasons."""

from __future__ import annotations

from collections.abc import Sequence

from edgevoice.bench.jobs.progress import duration
from edgevoice.bench.result.result import BenchResult
from edgevoice.bench.result.soak_record import Soak, SoakWindow
from edgevoice.bench.result.table import table
from edgevoice.bench.result.text import render
from edgevoice.bench.result.wording import ms, wrapped
from edgevoice.bench.soak.steadiness import MB, TOO_SHORT

STATE_MARKS = {"well": " ", "bad": "!", "unclear": "?", "unknown": "-"}
"""The mark before each reason."""


def whole(result: BenchResult) -> list[str]:
    """The result as every bench shows it, then windows, reasons and verdict of a soak."""
    lines = render(result)
    if (soak := result.soak) is not None:
        if columns := shown(soak.windows):
            rows = zip(*columns.values(), strict=True)
            lines += ["", *table(tuple(columns), rows)]
        lines.append("")
        for finding in soak.findings:
            lines += wrapped(f"{STATE_MARKS[finding.state]} {finding.reason}", later="    ")
        lines += wrapped(headline(soak))
    return lines


def shown(windows: Sequence[SoakWindow]) -> dict[str, list[str]]:
    """The cells of each column by its head, without the columns that are empty."""
    columns: dict[str, list[str]] = {}
    for w in windows:
        cells = {
            "from": at(w.start),
            "turns": str(w.turns),
            "p50": _seconds(w.p50),
            "p95": _seconds(w.p95),
            "memory": "" if w.rss is None else f"{w.rss / MB:.0f} MB",
            "threads": "" if w.threads is None else str(w.threads),
            "handles": "" if w.handles is None else str(w.handles),
            "heat": "" if w.temperature is None else f"{w.temperature:.0f} °C",
            "clock": "" if w.clock is None else f"{w.clock / 1e9:.2f} GHz",
            "throttled": "" if w.throttled is None else f"{w.throttled * 100:.0f} %",
        }
        for head, cell in cells.items():
            columns.setdefault(head, []).append(cell)
    return {head: cells for head, cells in columns.items() if any(cells)}


def headline(made: Soak) -> str:
    """The verdict, how long it ran, and what could not be told in that time."""
    ran, asked = duration(made.ran), duration(made.asked_for)
    # The last turn may end later.
    time = f"after {ran}" if made.ran >= made.asked_for else f"after {ran} of {asked}"
    unclear = ", ".join(finding.name for finding in made.findings if finding.state == "unclear")
    told = f"{made.verdict} {time}"
    if made.verdict == TOO_SHORT:
        return f"{told}: {unclear}"
    return f"{told}; too short to tell: {unclear}" if unclear else told


def at(seconds: float) -> str:
    """Hours and minutes, or minutes and seconds if it is less than an hour."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02} h"
    return f"{whole // 60}:{whole % 60:02}"


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    return ms(value) if value < 10 else f"{value:.1f} s"
