"""Scenarios as plain text, 80 columns wide: each with what came of it, then all together."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from edgevoice.bench.jobs.progress import duration
from edgevoice.bench.result.result import Figures
from edgevoice.bench.result.text import WIDTH
from edgevoice.bench.scenarios.assertions import COUNTED
from edgevoice.bench.scenarios.result import ScenarioOutcome, ScenariosResult, ScenarioTotals
from edgevoice.bench.scenarios.scenario import Scenario

UNDISTURBED = 5
"""How often the devices of a room may be late before it is told."""

NAME = 40
"""Columns that the name of a scenario takes."""


def whole(result: ScenariosResult) -> list[str]:
    """A line for each scenario, with the reasons where it failed; then the totals."""
    lines = [line for outcome in result.outcomes for line in _scenario(outcome)]
    return [*lines, "", *totals(result.totals)]


def _scenario(outcome: ScenarioOutcome) -> Iterator[str]:
    name = outcome.name if outcome.repeat == 1 else f"{outcome.name} #{outcome.repeat}"
    verdict = "FAILED" if outcome.failed else "passed"
    yield f"{verdict}  {_short(name):<{NAME}}{_told(outcome):>{WIDTH - NAME - 8}}"
    for reason in outcome.failed:
        yield from textwrap.wrap(reason, WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 10)
    if (times := outcome.dry + outcome.late) > UNDISTURBED:
        yield f"        (the room's devices were late {times} times: its sound was broken up)"


def _told(outcome: ScenarioOutcome) -> str:
    """Its times, in so few words that they fit behind its name."""
    silent = [line.silent_after for line in outcome.lines if line.silent_after is not None]
    answered = [line.answered_after for line in outcome.lines if line.answered_after is not None]
    parts = []
    if answered:
        parts.append(f"gap {_ms(max(answered))}")
    if silent:
        parts.append(f"silent {_ms(max(silent))}")
    return ", ".join(parts) or duration(outcome.seconds)


def _short(name: str) -> str:
    return name if len(name) < NAME else name[: NAME - 2] + "…"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def totals(told: ScenarioTotals) -> list[str]:
    """How many passed, what went wrong of how many, and the times."""
    counts = told.counts
    of = {
        "missed": f"{counts.questions} questions",
        "cut_offs": f"{counts.questions} questions",
        "false_interruptions": f"{counts.replies} replies",
        "not_heard": f"{counts.interruptions} interruptions",
        "false_starts": duration(told.seconds),
        "false_answers": duration(told.seconds),
        "self_answers": f"{counts.replies} replies",
    }
    lines = [f"{told.passed} of {told.scenarios} scenarios passed, in {duration(told.seconds)}"]
    for name, _, many in COUNTED:
        lines.append(f"  {many:<28}{getattr(counts, name):>5}  of {of[name]}")
    if counts.resumed:
        lines.append(f"  {'replies that paused, went on':<28}{counts.resumed:>5}")
    if told.false_answers_per_hour is not None:
        lines.append(
            f"  {'false answers an hour':<28}{told.false_answers_per_hour:>5g}"
            f"  while nobody spoke to it ({duration(told.listened)})"
        )
    rows = (
        ("answered after", told.answered_after),
        ("interruption noticed after", told.noticed_after),
        ("silent after its first sound", told.silent_after),
        ("silent after it was noticed", told.silent_after_noticed),
    )
    lines += [_figures(name, found) for name, found in rows if found is not None]
    return lines


def _figures(name: str, found: Figures) -> str:
    return f"  {name:<28}{_ms(found.p50):>8} p50{_ms(found.p95):>9} p95  of {found.n}"


def shelf(listed: Sequence[tuple[Path, Scenario, int]]) -> list[str]:
    """Scenarios by file, each with what it promises; `int` is as how many it counts."""
    lines = []
    for _, scenario, count in listed:
        name = scenario.name if count == 1 else f"{scenario.name} (× {count})"
        lines.append(name)
        lines += textwrap.wrap(
            scenario.means, WIDTH, initial_indent="    ", subsequent_indent="    "
        )
    return lines
