"""A comparison as text: 80 columns wide for a terminal, or Markdown for a pull request."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

from edgevoice.bench.compare.compare import (
    MOVED,
    PART,
    ComparisonResult,
    ComparisonSide,
    QuantityChange,
)
from edgevoice.bench.result.quantities import Unit
from edgevoice.bench.result.result import Figures

WIDTH = 80
_FEW = 3
_FIRM = "\u00a0"


def headline(compared: ComparisonResult) -> list[str]:
    """The verdict: what became slower, worse, faster and better, or that nothing changed."""
    lines = [
        f"{kind}: {', '.join(map(_moved, changes))}"
        for kind in MOVED
        if (changes := compared.having(kind))
    ]
    if lines:
        return lines
    return ["no change beyond the noise" if compared.having("unclear") else "no change"]


def render(compared: ComparisonResult) -> list[str]:
    """Everything for a terminal: what was compared, doubts, a line for each quantity, verdict."""
    heading = [
        f"{letter}  {_side(side)}"
        for letter, side in (("A", compared.before), ("B", compared.after))
    ]
    lines = [
        *_wrapped([*heading, _how(compared)]),
        *_wrapped(f"warning: {warning}" for warning in compared.warnings),
        "",
        f"{'':<13}{'A':>9}{'B':>9}{'change':>10}{'':>9}{'95 % sure':>18}",
    ]
    for change in compared.changes:
        cells = [*_levels(change), *_effect(change), _between(change)]
        widths = (9, 9, 10, 9, 18)
        row = "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        lines.append(f"{change.name:<13}{row}  {change.verdict}")
    notes = [*_notes(compared), *(outcome.told for outcome in compared.budgets)]
    return [*lines, "", *_wrapped(notes), *_wrapped(headline(compared))]


def markdown(compared: ComparisonResult) -> list[str]:
    """The same for a comment, with the verdict on top."""
    lines = [f"**{_escaped(line)}**  " for line in headline(compared)]
    lines += ["", "| | A | B | change | | 95 % sure | p | |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    for change in compared.changes:
        chance = "" if change.p is None else f"{change.p:.3f}" if change.p >= 0.001 else "< 0.001"
        verdict = f"**{change.verdict}**" if change.verdict in MOVED else change.verdict
        cells = [change.name, *_levels(change), *_effect(change), _between(change), chance, verdict]
        lines.append(f"| {' | '.join(map(_escaped, cells))} |")
    told = [
        *(f"warning: {warning}" for warning in compared.warnings),
        *(outcome.told for outcome in compared.budgets),
        *_notes(compared),
        f"A: {_side(compared.before)}",
        f"B: {_side(compared.after)}",
        _how(compared),
    ]
    return [*lines, "", *(f"- {_escaped(line)}" for line in told)]


def _how(compared: ComparisonResult) -> str:
    pairs = (
        f"{compared.pairs} questions, each compared with itself"
        if compared.paired
        else "turns compared without pairs"
    )
    return (
        f"{pairs}; what matters: {compared.least * 100:g} % of a time, "
        f"and of a span {PART * compared.least * 100:g} % of the gap"
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
    effect = ", ".join(part for part in _effect(change) if part)
    unit = " a turn" if change.unit == "per turn" else ""
    return f"{change.name} ({effect}{unit})"


def _levels(change: QuantityChange) -> list[str]:
    """p50 before and after; of what is counted, the mean."""

    def level(figures: Figures | None) -> str:
        if figures is None:
            return ""
        counted = change.unit in ("share", "per turn")
        return _text(change.unit, figures.mean if counted else figures.p50)

    return [level(change.before), level(change.after)]


def _effect(change: QuantityChange) -> list[str]:
    """The change in its unit, and as a share of what was before."""
    if change.change is None:
        return ["", ""]
    share = ""
    if change.relative is not None and change.unit in ("s", "tokens/s"):
        share = _percent(change.relative)
    return [_text(change.unit, change.change, "+"), share]


def _between(change: QuantityChange) -> str:
    if change.low is None or change.high is None:
        return ""
    low = _text(change.unit, change.low, "+").split()[0].removesuffix("/s")
    return f"{low} to {_text(change.unit, change.high, '+')}"


def _text(unit: Unit, value: float, sign: str = "") -> str:
    match unit:
        case "s":
            return f"{round(value * 1000):{sign}} ms"
        case "tokens/s":
            return f"{value:{sign}.1f}/s"
        case "per turn":
            return f"{value:{sign}.2f}"
        case "share":
            # A change of a share is no share of it.
            return f"{value * 100:{sign}.1f} {'pt' if sign else '%'}"


def _percent(share: float) -> str:
    """A change, with a sign."""
    percent = share * 100
    return f"{percent:+.0f} %" if abs(percent) >= 100 else f"{percent:+.1f} %"


def _escaped(text: str) -> str:
    """Names of files and questions as they are, whatever Markdown would make of them."""
    return "".join(f"\\{mark}" if mark in "|*_`<>[]#" else mark for mark in text)


def _wrapped(texts: Iterable[str]) -> list[str]:
    """Lines of 80 columns; what is in brackets stays together."""
    firm = (re.sub(r"\([^)]*\)", lambda found: found[0].replace(" ", _FIRM), t) for t in texts)
    return [
        line.replace(_FIRM, " ")
        for text in firm
        for line in textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    ]
