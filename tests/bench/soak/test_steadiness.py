"""The verdict on a soak names what is wrong, and only that."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from msgspec.structs import replace

from edgevoice.bench.result.soak_record import InterruptionOutcome, SoakInterruption
from edgevoice.bench.soak.steadiness import STEADY_VERDICT, TOO_SHORT
from edgevoice.bench.soak.windows import length, windows
from edgevoice.bench.statistics import significance
from tests.bench.soaks import APART, BEGAN, finding, samples, soak, turns


def thrown_in(outcome: InterruptionOutcome, answered: bool = True) -> SoakInterruption:
    return SoakInterruption(
        t=BEGAN + 60,
        question="why is the sky blue",
        by="and at night",
        outcome=outcome,
        silent_after=0.26 if outcome == "stopped" else None,
        answered=answered,
    )


@pytest.mark.parametrize("hours", [0.5, 8.0])
def test_what_stays_as_it_is_is_steady(hours: float) -> None:
    """Noise of a megabyte, and of an eighth of each response time."""
    assert soak(hours).verdict == STEADY_VERDICT


def test_steady_runs_are_seldom_called_anything_else(
    monkeypatch: pytest.MonkeyPatch, trials: Callable[[int], int]
) -> None:
    """Of many half hours with nothing but noise, few are called bad by chance."""
    monkeypatch.setattr(significance, "DRAWS", 499)
    count = trials(60)
    wrong = sum(
        soak(0.5, turns(0.5, seed=seed), samples(0.5, seed=seed)).verdict != STEADY_VERDICT
        for seed in range(count)
    )
    assert wrong <= count * 0.05 + 3 * math.sqrt(count * 0.05 * 0.95)


@pytest.mark.parametrize("leak", [25.0, 200.0])
def test_memory_that_goes_on_growing_is_a_leak_with_its_rate(leak: float) -> None:
    """Megabytes an hour, between the ends of the interval."""
    made = soak(1.0, sampled=samples(1.0, lambda h: 1e9 + leak * 1e6 * h))
    assert made.verdict == "leaks memory"
    found = finding(made, "memory")
    assert found.value == pytest.approx(leak, rel=0.1)
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low <= leak <= found.high
    assert "it grew to the end" in found.reason


def test_a_leak_that_begins_late_is_found() -> None:
    """Nothing for three hours, then sixty megabytes an hour."""
    late = samples(6.0, lambda h: 1e9 + 60e6 * max(0.0, h - 3.0))
    assert soak(6.0, sampled=late).verdict == "leaks memory"


def test_memory_that_grows_at_first_or_once_is_no_leak() -> None:
    """Pools that fill, and one block of fifty megabytes that stays."""
    for course in (
        lambda h: 1e9 + 150e6 * (1 - math.exp(-h * 15)),
        lambda h: 1e9 + 50e6 * (h > 0.6),
    ):
        assert soak(1.0, sampled=samples(1.0, course)).verdict == STEADY_VERDICT


@pytest.mark.parametrize("name", ["threads", "handles"])
def test_threads_and_handles_that_are_not_given_back_are_leaks(name: str) -> None:
    """One every ten turns; and one that is kept once is not."""
    course = {name: lambda h: 14 + int(h * 3600 / APART / 10)}
    made = soak(1.0, sampled=samples(1.0, **course))
    assert made.verdict == f"leaks {name}"
    assert finding(made, name).value == pytest.approx(40.0, rel=0.1)
    once = {name: lambda h: 14 + (h > 0.4)}
    assert soak(1.0, sampled=samples(1.0, **once)).verdict == STEADY_VERDICT


def test_a_slow_drift_of_the_gap_is_found_with_temperature_beside_it() -> None:
    """Answers that become a third slower within an hour."""
    warm = samples(1.0, temperature=lambda h: 50.0 + 20.0 * h)
    made = soak(1.0, turns(1.0, lambda h: 1.0 + 0.35 * h), warm)
    assert made.verdict == "slows down"
    found = finding(made, "response time")
    assert found.p is not None
    assert found.p < 0.05
    assert "longer than in the first" in found.reason
    assert "temperature went from 5" in found.reason


def test_answers_that_become_quicker_are_not_held_against_it() -> None:
    """A change, but no harm."""
    assert soak(1.0, turns(1.0, lambda h: 1.0 - 0.3 * h)).verdict == STEADY_VERDICT


def test_questions_are_compared_with_themselves() -> None:
    """Hard questions late, easy ones early: each is as quick as it was, and that is seen."""
    made = turns(1.0)
    later = [t for t in made if t.question in {f"question {n}" for n in range(20)}]
    assert soak(1.0, [*made, *(replace(t, asked_at=t.asked_at + 3600) for t in later)]).verdict == (
        STEADY_VERDICT
    )


def throttled(hours: float) -> bool:
    """Twice in an hour, for ten minutes."""
    return hours % 0.5 > 0.33


def test_throttling_with_slower_turns_is_heat() -> None:
    """Told with how often it was throttled, and how much longer the response time was meanwhile."""
    hot = samples(1.0, throttled=throttled, temperature=lambda h: 85.0 if throttled(h) else 60.0)
    made = soak(1.0, turns(1.0, lambda h: 1.4 if throttled(h) else 1.0), hot)
    assert "gets hot" in made.verdict
    told = finding(made, "heat").reason
    assert "60 to 85 °C" in told
    assert "throttled in 34 % of the samples, 2 times" in told
    assert "longer meanwhile" in told


def test_throttling_that_slows_nothing_is_told_and_not_held_against_it() -> None:
    """The answers are what counts."""
    made = soak(1.0, sampled=samples(1.0, throttled=throttled))
    assert made.verdict == STEADY_VERDICT
    assert "throttled in 34 %" in finding(made, "heat").reason


def test_a_run_that_is_throttled_from_the_first_turn_on_is_hot() -> None:
    """There is nothing to compare with, and nothing more to be said."""
    made = soak(1.0, sampled=samples(1.0, throttled=lambda h: True))
    assert made.verdict == "gets hot"


def test_a_clock_that_falls_with_heat_is_heat_where_throttling_is_not_told() -> None:
    """Three gigahertz, then two while it is warmer, and slower turns."""
    hot = samples(
        1.0,
        clock=lambda h: 2.0e9 if throttled(h) else 3.0e9,
        temperature=lambda h: 85.0 if throttled(h) else 60.0,
    )
    made = soak(1.0, turns(1.0, lambda h: 1.4 if throttled(h) else 1.0), hot)
    assert "gets hot" in made.verdict
    assert "slowed by heat" in finding(made, "heat").reason


def test_a_clock_that_falls_without_heat_is_none() -> None:
    """A governor that saves power while it is cool."""
    cool = samples(
        1.0,
        clock=lambda h: 2.0e9 if throttled(h) else 3.0e9,
        temperature=lambda h: 50.0 if throttled(h) else 60.0,
    )
    assert soak(1.0, sampled=cool).verdict == STEADY_VERDICT


def test_a_machine_without_sensors_says_so_and_the_rest_is_judged() -> None:
    """Not available, and never zero; the same for counts that a system does not keep."""
    bare = samples(1.0, threads=lambda h: None, handles=lambda h: None)
    made = soak(1.0, sampled=bare)
    assert made.verdict == STEADY_VERDICT
    assert "not available on this machine" in finding(made, "heat").reason
    assert finding(made, "handles").reason == "handles: not available on this machine"
    for window in made.windows:
        told = (window.temperature, window.clock, window.throttled, window.handles)
        assert told == (None,) * 4


def test_a_short_soak_says_that_it_was_too_short_and_for_what() -> None:
    """Two minutes tell nothing of leaks, nor of drift."""
    made = soak(2 / 60)
    assert made.verdict == TOO_SHORT
    unclear = [found.name for found in made.findings if found.state == "unclear"]
    assert unclear == ["memory", "threads", "handles", "response time"]
    assert "it takes 10 to tell" in finding(made, "memory").reason


def test_noise_that_could_hide_a_leak_or_a_drift_is_unclear() -> None:
    """Not steady, because that is not known."""
    noisy = soak(0.5, sampled=samples(0.5, noise=400e6))
    assert noisy.verdict == TOO_SHORT
    assert "cannot be ruled out" in finding(noisy, "memory").reason
    rng = np.random.default_rng(3)
    wild = soak(0.5, turns(0.5, lambda h: float(rng.lognormal(0.0, 1.2))))
    assert finding(wild, "response time").state == "unclear"
    assert wild.verdict == TOO_SHORT


def test_a_soak_that_never_began_is_too_short() -> None:
    """No turn, no sample, no window, and no crash."""
    made = soak(0.0, [], [])
    assert made.verdict == TOO_SHORT
    assert not made.windows


def test_a_question_that_was_answered_before_and_is_not_any_more_is_missed() -> None:
    """It is named with the reason."""
    made = turns(1.0)
    made[-3] = replace(made[-3], response_time=None, dropped="no speech was noticed")
    verdict = soak(1.0, made)
    assert verdict.verdict == "misses questions"
    told = finding(verdict, "answers").reason
    assert f"{made[-3].question} (no speech was noticed)" in told
    assert "399 of 400 questions" in told


def test_a_question_that_is_never_answered_says_nothing_of_time() -> None:
    """It is named, and the soak is steady."""
    made = [
        replace(t, response_time=None, dropped="the reply was empty")
        if t.question == "question 7"
        else t
        for t in turns(1.0)
    ]
    verdict = soak(1.0, made)
    assert verdict.verdict == STEADY_VERDICT
    assert (
        "never, and so not for the time it took: question 7" in finding(verdict, "answers").reason
    )


def test_holes_in_the_sound_are_told_and_more_than_a_few_are_bad() -> None:
    """One in a hundred turns is borne."""
    made = turns(1.0)
    few = [replace(t, underruns=1) if n in (5, 50) else t for n, t in enumerate(made)]
    assert soak(1.0, few).verdict == STEADY_VERDICT
    many = [replace(t, underruns=1) if n % 20 == 0 else t for n, t in enumerate(made)]
    assert soak(1.0, many).verdict == "breaks up"


@pytest.mark.parametrize(
    ("found", "verdict", "told"),
    [
        ([thrown_in("stopped")] * 3, STEADY_VERDICT, "3 of 3 stopped the reply, 260 ms"),
        ([thrown_in("stopped"), thrown_in("late")], STEADY_VERDICT, "1 reply over too soon"),
        ([thrown_in("late")] * 2, STEADY_VERDICT, "none could be tried (2 replies over too soon)"),
        ([], STEADY_VERDICT, "none could be tried"),
        (
            [thrown_in("stopped"), thrown_in("missed")],
            "misses interruptions",
            "failed: why is the sky blue went on under and at night",
        ),
        ([thrown_in("stopped", answered=False)], "misses interruptions", "was not answered"),
    ],
)
def test_interruptions_must_stop_the_reply_and_be_answered(
    found: list[SoakInterruption], verdict: str, told: str
) -> None:
    """One that came after the end of a reply could not, and counts neither way."""
    made = soak(1.0, interruptions=found, every=5)
    assert made.verdict == verdict
    assert told in finding(made, "interruptions").reason


def test_everything_that_is_wrong_is_in_the_verdict() -> None:
    """A leak does not hide a drift."""
    leaking = samples(1.0, lambda h: 1e9 + 100e6 * h, handles=lambda h: int(100 * h))
    made = soak(1.0, turns(1.0, lambda h: 1.0 + 0.5 * h), leaking)
    assert made.verdict == "leaks memory, leaks handles, slows down"


@pytest.mark.parametrize(
    ("hours", "seconds"), [(8.0, 900), (1.0, 900), (0.5, 300), (0.1, 60), (0.02, 15), (0.001, 15)]
)
def test_windows_are_quarter_hours_or_shorter_in_a_short_soak(hours: float, seconds: float) -> None:
    """At least four, as far as that makes sense."""
    assert length(hours * 3600) == seconds


def test_a_window_holds_what_was_asked_in_it() -> None:
    """Every turn in one of them, none twice; the last one ends with the soak."""
    made = [*turns(0.5), replace(turns(0.5)[3], variant="barge-in", response_time=99.0)]
    sampled = samples(0.5, temperature=lambda h: 50.0 + 20.0 * h, clock=lambda h: 2.0e9)
    cut = windows(made, sampled, [thrown_in("stopped")], BEGAN, BEGAN + 1700.0, 300.0)
    assert sum(window.turns for window in cut) == len(made) - 1
    assert [window.start for window in cut] == [0.0, 300.0, 600.0, 900.0, 1200.0, 1500.0]
    assert [window.seconds for window in cut] == [300.0] * 5 + [200.0]
    assert cut[0].interrupted == 1
    assert cut[0].temperature == pytest.approx(50.0 + 20.0 * 300 / 3600, abs=0.1)
    assert (cut[0].clock, cut[0].threads, cut[0].throttled) == (2.0e9, 14, None)
    assert cut[0].p95 is not None
    # What interrupts another reply is asked in another way, and would blur the course.
    assert cut[0].p95 < 9.0
