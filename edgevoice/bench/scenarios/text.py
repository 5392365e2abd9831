"""Scenarios as plain text, 80 columns wide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgevoice.bench.jobs.progress import duration
from edgevoice.bench.result.wording import WIDTH, ms, wrapped
from edgevoice.bench.scenarios.assertions import COUNTED
from edgevoice.bench.scenarios.result import ScenarioOutcome, ScenariosResult, ScenarioTotals
from edgevoice.bench.scenarios.scenario import Scenario, variants

UNDISTURBED = 5
"""Late blocks of a room's devices that are not worth a remark."""

NAME_COLUMNS = 40
"""Columns of a scenario's name."""


def whole(result: ScenariosResult) -> list[str]:
    """A line for each scenario, with the reasons if it failed; then the totals."""
    lines = [line for outcome in result.outcomes for line in _scenario(outcome)]
    return [*lines, "", *_totals(result.totals)]


def _scenario(outcome: ScenarioOutcome) -> Iterator[str]:
    name = outcome.name if outcome.repeat == 1 else f"{outcome.name} #{outcome.repeat}"
    name = name if len(name) < NAME_COLUMNS else f"{name[: NAME_COLUMNS - 2]}…"
    verdict = "FAILED" if outcome.failed else "passed"
    yield f"{verdict}  {name:<{NAME_COLUMNS}}{_times(outcome):>{WIDTH - NAME_COLUMNS - 8}}"
    for reason in outcome.failed:
        yield from wrapped(reason, " " * 8, " " * 10)
    if (times := outcome.dry + outcome.late) > UNDISTURBED:
        yield f"        (the room's devices were late {times} times: its sound was broken up)"


def _times(outcome: ScenarioOutcome) -> str:
    silent = [line.silent_after for line in outcome.lines if line.silent_after is not None]
    answered = [line.answered_after for line in outcome.lines if line.answered_after is not None]
    parts = [f"response {ms(max(answered))}"] if answered else []
    parts += [f"silent {ms(max(silent))}"] if silent else []
    return ", ".join(parts) or duration(outcome.seconds)


def _totals(totals: ScenarioTotals) -> Iterator[str]:
    counts = totals.counts
    of = {
        "missed": f"{counts.questions} questions",
        "cut_offs": f"{counts.questions} questions",
        "false_interruptions": f"{counts.replies} replies",
        "not_heard": f"{counts.interruptions} interruptions",
        "false_starts": duration(totals.seconds),
        "false_answers": duration(totals.seconds),
        "self_answers": f"{counts.replies} replies",
    }
    passed = f"{totals.passed} of {totals.scenarios} scenarios passed"
    yield f"{passed}, in {duration(totals.seconds)}"
    for name, _, many in COUNTED:
        yield f"  {many:<28}{getattr(counts, name):>5}  of {of[name]}"
    if counts.resumed:
        yield f"  {'replies paused and resumed':<28}{counts.resumed:>5}"
    if (rate := totals.false_answers_per_hour) is not None:
        silence = f"without a question ({duration(totals.listened)})"
        yield f"  {'false answers an hour':<28}{rate:>5g}  {silence}"
    for name, found in (
        ("answered after", totals.answered_after),
        ("interruption noticed after", totals.noticed_after),
        ("silent after its first sound", totals.silent_after),
        ("silent after it was noticed", totals.silent_after_noticed),
    ):
        if found is not None:
            yield f"  {name:<28}{ms(found.p50):>8} p50{ms(found.p95):>9} p95  of {found.n}"


def listing(scenarios: Sequence[Scenario]) -> Iterator[str]:
    """Scenarios with what they show, and the number of their variants."""
    for scenario in scenarios:
        count = len(variants(scenario))
        yield scenario.name if count == 1 else f"{scenario.name} (× {count})"
        yield from wrapped(scenario.means, "    ", "    ")
