"""A soak as plain text, 80 columns wide: its windows, and the verdict with the reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgevoice.bench.jobs.progress import duration
from edgevoice.bench.result.result import BenchResult
from edgevoice.bench.result.soak_record import Soak, SoakWindow
from edgevoice.bench.result.text import render
from edgevoice.bench.result.wording import ms, wrapped
from edgevoice.bench.soak.steadiness import MB, TOO_SHORT

STATE_MARKS = {"well": " ", "bad": "!", "unclear": "?", "unknown": "-"}
"""What stands before a reason."""

Cell = Callable[[SoakWindow], str]

_COLUMNS: Sequence[tuple[str, int, Cell]] = (
    ("from", 8, lambda w: at(w.start)),
    ("turns", 6, lambda w: str(w.turns)),
    ("p50", 8, lambda w: _ms(w.p50)),
    ("p95", 8, lambda w: _ms(w.p95)),
    ("memory", 9, lambda w: "" if w.rss is None else f"{w.rss / MB:.0f} MB"),
    ("threads", 8, lambda w: "" if w.threads is None else str(w.threads)),
    ("handles", 8, lambda w: "" if w.handles is None else str(w.handles)),
    ("heat", 6, lambda w: "" if w.temperature is None else f"{w.temperature:.0f} °C"),
    ("clock", 9, lambda w: "" if w.clock is None else f"{w.clock / 1e9:.2f} GHz"),
    ("throttled", 10, lambda w: "" if w.throttled is None else f"{w.throttled * 100:.0f} %"),
)
"""Head, width and cell of each column; one that the machine tells nothing of is left out."""


def whole(result: BenchResult) -> list[str]:
    """The result as every bench shows it, then the windows and the verdict."""
    return [*render(result), *(["", *soak(result.soak)] if result.soak else [])]


def soak(made: Soak) -> list[str]:
    """The windows, a line for each thing that was looked at, and the verdict."""
    lines = windows(made.windows)
    for finding in made.findings:
        lines += wrapped(f"{STATE_MARKS[finding.state]} {finding.reason}", later="    ")
    return [*lines, *wrapped(headline(made))]


def windows(found: Sequence[SoakWindow]) -> list[str]:
    """The course of it as a table; empty where nothing was asked."""
    if not found:
        return []
    columns = shown(found)
    widths = [width for head, width, _ in _COLUMNS if head in columns]
    rows = zip(*([head, *cells] for head, cells in columns.items()), strict=True)
    return [
        *("".join(f"{c:>{w}}" for c, w in zip(row, widths, strict=True)) for row in rows),
        "",
    ]


def shown(found: Sequence[SoakWindow]) -> dict[str, list[str]]:
    """The cells of each column by its head, of those in which there is anything."""
    columns = {head: [cell(window) for window in found] for head, _, cell in _COLUMNS}
    return {head: cells for head, cells in columns.items() if any(cells)}


def headline(made: Soak) -> str:
    """The verdict, how long it was run, and what could not be told in that time."""
    asked = duration(made.asked_for)
    ran = duration(made.ran)
    # The last turn may take it past its end.
    time = f"after {ran}" if made.ran >= made.asked_for else f"after {ran} of {asked}"
    unclear = [finding.name for finding in made.findings if finding.state == "unclear"]
    told = f"{made.verdict} {time}"
    if made.verdict == TOO_SHORT:
        return f"{told}: {', '.join(unclear)}"
    return f"{told}; too short to tell: {', '.join(unclear)}" if unclear else told


def at(seconds: float) -> str:
    """Hours and minutes, or minutes and seconds where it is less than an hour."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02} h"
    return f"{whole // 60}:{whole % 60:02}"


def _ms(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return ms(seconds) if seconds < 10 else f"{seconds:.1f} s"
