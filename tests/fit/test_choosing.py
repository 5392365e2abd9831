"""Which set is chosen, which ones are dropped or not measured, and how that is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgevoice.fit.choosing import Fitting, Limits, judged
from tests.fit.world import GB, USUAL, Scripted, Told, answers, sets_of

LARGE, SMALL = USUAL[:2]
LIMITS = Limits(1.0, 8 * GB, 0, 100 * GB)


def fitted(folder: Path, script: dict[str, Any], *more: str, everything: bool = False) -> Fitting:
    """The usual models, measured by the script."""
    made = Fitting(sets_of(folder, *USUAL, *more), LIMITS, Scripted(script), Told(), everything)
    made.run(lambda one: 30.0)
    return made


def asked(made: Fitting) -> list[str]:
    """The language models that were measured, in order."""
    assert isinstance(made.measure, Scripted)
    return [label.partition(",")[0] for label in made.measure.asked]


def test_the_most_capable_set_that_meets_the_budget_is_chosen(tmp_path: Path) -> None:
    """Less capable ones are not measured, and named."""
    made = fitted(tmp_path, {LARGE: answers(0.8, 0.9, 1.4), SMALL: answers(0.5)})
    assert asked(made) == [LARGE]
    best = made.ranked[0]
    assert (best.slm, best.meets, best.p50, best.worst) == (LARGE, True, 0.9, 1.4)
    assert made.not_run == [SMALL]


def test_with_everything_the_others_are_measured_too(tmp_path: Path) -> None:
    """The choice is the same: a faster model is no better one."""
    script = {LARGE: answers(0.8), SMALL: answers(0.5)}
    made = fitted(tmp_path, script, everything=True)
    assert asked(made) == [LARGE, SMALL]
    assert [choice.slm for choice in made.ranked] == [LARGE, SMALL]


def test_a_language_model_that_was_dropped_is_not_tried_with_another_recognizer(
    tmp_path: Path,
) -> None:
    """The recognizer is the smaller part of the response time."""
    script = {LARGE: answers(3.0, dropped=True), SMALL: answers(0.8)}
    made = fitted(tmp_path, script, "whisper-tiny.en")
    assert asked(made) == [LARGE, SMALL]
    assert [(choice.slm, choice.meets) for choice in made.ranked] == [(SMALL, True), (LARGE, False)]


def test_where_none_meets_the_budget_the_fastest_is_first(tmp_path: Path) -> None:
    """It is the nearest."""
    made = fitted(tmp_path, {LARGE: answers(3.0), SMALL: answers(1.2)})
    assert [choice.slm for choice in made.ranked] == [SMALL, LARGE]
    assert not any(choice.meets for choice in made.ranked)


def test_a_set_that_fails_is_left_out_and_the_next_one_measured(tmp_path: Path) -> None:
    """Its error and remedy are told."""
    made = fitted(tmp_path, {SMALL: answers(0.8)})
    assert [choice.slm for choice in made.ranked] == [SMALL]
    assert [(each.what, each.fix) for each in made.problems] == [
        (f"{LARGE} cannot be loaded", "edgevoice models pull")
    ]


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (Limits(1.0, GB, 0, GB), "its weights take 1.1 GB of memory"),
        (Limits(1.0, 8 * GB, GB, GB), "its models take 1.3 GB of disk"),
    ],
)
def test_what_cannot_fit_is_not_measured(limits: Limits, what: str, tmp_path: Path) -> None:
    """The file's size tells."""
    scripted = Scripted({SMALL: answers(0.8, memory=10**8)})
    made = Fitting(sets_of(tmp_path, *USUAL), limits, scripted, Told())
    made.run(lambda one: 30.0)
    assert asked(made) == [SMALL]
    assert made.ranked[0].meets
    assert [each.what for each in made.problems] == [what]


@pytest.mark.parametrize(
    ("found", "exceeds"),
    [
        (answers(0.9, 0.9, 5.0), ()),
        (answers(0.9, 1.1, 1.2), ("response time",)),
        (answers(0.9, memory=9 * GB), ("memory",)),
        (answers(0.9, asked=4), ("answers",)),
        (answers(asked=4), ("answers",)),
    ],
)
def test_the_median_memory_and_answers_are_judged(
    found: Any, exceeds: tuple[str, ...], tmp_path: Path
) -> None:
    """A single slow answer is told as the worst one, and does not count against the set."""
    made = judged(sets_of(tmp_path, *USUAL)[0], found, LIMITS)
    assert made.exceeds == exceeds
    assert made.meets == (not exceeds)


def test_progress_adds_up_to_what_was_announced(tmp_path: Path) -> None:
    """Whether sets are measured, dropped or passed over."""
    told = Told()
    script = {LARGE: answers(3.0, dropped=True), SMALL: answers(0.8)}
    sets = sets_of(tmp_path, *USUAL, "whisper-tiny.en")
    Fitting(sets, LIMITS, Scripted(script), told).run(lambda one: 30.0)
    assert told.work == told.total == 30.0 * len(sets)
    assert f"[1/4] {sets[0].label}: dropped: 3.00 s after 1 answer" in told.lines
    assert any("median 0.80 s, worst 0.80 s: meets the budget" in line for line in told.lines)
