"""A comparison as text: 80 columns wide for a terminal, or Markdown for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable

from edgevoice.bench.compare.compare import (
    MOVED,
    SPAN_PART,
    ComparisonResult,
    ComparisonSide,
    QuantityChange,
)
from edgevoice.bench.result.quantities import QuantityUnit
from edgevoice.bench.result.result import Figures
from edgevoice.bench.result.wording import escaped, markdown_table, ms, paragraphs, table, wrapped

HEADS = ("", "A", "B", "change", "", "95 % sure")

_FEW = 3
_FIRM = "\u00a0"


def headline(compared: ComparisonResult) -> list[str]:
    """The verdict: what became slower, worse, faster and better, or that nothing changed."""
    lines = [
        f"{kind}: {', '.join(map(_moved, changes))}"
        for kind in MOVED
        if (changes := compared.having(kind))
    ]
    return lines or ["no change beyond the noise" if compared.having("unclear") else "no change"]


def render(compared: ComparisonResult) -> list[str]:
    """For a terminal: what was compared, doubts, a line for each quantity, and the verdict."""
    rows = [[*_cells(change), change.verdict] for change in compared.changes]
    warnings = [f"warning: {warning}" for warning in compared.warnings]
    sides = [f"A  {_side(compared.before)}", f"B  {_side(compared.after)}", _how(compared)]
    notes = [*_notes(compared), *(outcome.message for outcome in compared.budgets)]
    return paragraphs(
        (
            _wrapped([*sides, *warnings]),
            table((*HEADS, ""), rows, words=(0, len(HEADS))),
            _wrapped([*notes, *headline(compared)]),
        )
    )


def markdown(compared: ComparisonResult) -> list[str]:
    """For a pull request, with the verdict on top."""
    rows = []
    for change in compared.changes:
        p = "" if change.p is None else f"{change.p:.3f}" if change.p >= 0.001 else "< 0.001"
        rows.append([*_cells(change), p, change.verdict])
    lines = markdown_table((*HEADS, "p", ""), rows, words=(0, len(HEADS) + 1))
    moved = re.compile(rf"\| ({'|'.join(MOVED)}) \|$")
    told = [
        *(f"warning: {warning}" for warning in compared.warnings),
        *(outcome.message for outcome in compared.budgets),
        *_notes(compared),
        f"A: {_side(compared.before)}",
        f"B: {_side(compared.after)}",
        _how(compared),
    ]
    return paragraphs(
        (
            [f"**{escaped(line)}**  " for line in headline(compared)],
            [moved.sub(r"| **\1** |", line) for line in lines],
            [f"- {escaped(line)}" for line in told],
        )
    )


def _how(compared: ComparisonResult) -> str:
    pairs = (
        f"{compared.pairs} questions, each compared with itself"
        if compared.paired
        else "turns compared without pairs"
    )
    return (
        f"{pairs}; what matters: {compared.least * 100:g} % of a time, "
        f"and of a span {SPAN_PART * compared.least * 100:g} % of the response time"
    )


def _side(side: ComparisonSide) -> str:
    return (
        f"{side.file} · {side.variant} · {side.turns} turns · edgevoice {side.edgevoice} · "
        f"{side.started}"
    )


def _notes(compared: ComparisonResult) -> list[str]:
    notes = []
    if lost := compared.lost:
        names = ", ".join(lost[:_FEW]) + (", …" if len(lost) > _FEW else "")
        notes.append(f"B dropped what A answered ({len(lost)}): {names}")
    if unclear := compared.having("unclear"):
        names = ", ".join(change.name for change in unclear)
        notes.append(f"unclear: {names}: a change that matters may hide in the noise")
    if untested := compared.having("untested"):
        names = ", ".join(change.name for change in untested)
        notes.append(f"untested: {names}: measured too seldom in A or in B")
    return notes


def _moved(change: QuantityChange) -> str:
    effect = ", ".join(part for part in _cells(change)[3:5] if part)
    unit = " a turn" if change.unit == "per turn" else ""
    return f"{change.name} ({effect}{unit})"


def _cells(change: QuantityChange) -> list[str]:
    """The cells under HEADS; what was not measured is empty."""
    unit = change.unit
    timed = unit in ("s", "tokens/s")

    def level(figures: Figures | None) -> str:
        return "" if figures is None else _text(unit, figures.p50 if timed else figures.mean)

    effect = share = between = ""
    if change.change is not None:
        effect = _text(unit, change.change, "+")
    if change.relative is not None and timed:
        digits = 0 if abs(change.relative) >= 1 else 1
        share = f"{change.relative * 100:+.{digits}f} %"
    if change.low is not None and change.high is not None:
        low = _text(unit, change.low, "+").split()[0].removesuffix("/s")
        between = f"{low} to {_text(unit, change.high, '+')}"
    return [change.name, level(change.before), level(change.after), effect, share, between]


def _text(unit: QuantityUnit, value: float, sign: str = "") -> str:
    match unit:
        case "s":
            return ms(value, sign)
        case "tokens/s":
            return f"{value:{sign}.1f}/s"
        case "per turn":
            return f"{value:{sign}.2f}"
        case "share":
            # The difference of two shares is in percentage points.
            return f"{value * 100:{sign}.1f} {'pt' if sign else '%'}"


def _wrapped(texts: Iterable[str]) -> list[str]:
    """Lines of 80 columns; text in brackets stays together."""
    firm = (re.sub(r"\([^)]*\)", lambda found: found[0].replace(" ", _FIRM), t) for t in texts)
    return [line.replace(_FIRM, " ") for text in firm for line in wrapped(text)]
