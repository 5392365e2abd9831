"""Clauses are cut for how soon they are heard, and so that none comes too late."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice.agent.clauses import LATER, Break, ClauseCutter
from edgevoice.agent.speech_rate import FEWEST, CutPlan, SpeechRate

REPLIES = [
    "The capital of France is Paris, of course. It lies on the Seine, and more than two million "
    "people live there today.",
    "Yes, it is. The Brooklyn Bridge is one of the oldest suspension bridges in the country, and "
    "it was opened in 1883.",
    "To boil an egg put it into boiling water and wait for eight minutes until it is hard then "
    "cool it under cold water.",
    "I am not sure what you mean by that, but I can try to help you with whatever you need today.",
    "Sure! The moon goes around the earth in about twenty seven days, and it always shows us the "
    "same side.",
]
SAYING, ASIDE, EACH = 0.055, 0.045, 0.003
RATES = st.floats(0.0, 0.2)


def measured(writing: float) -> SpeechRate:
    """The rates of a machine that writes a character in so many seconds, after some talk."""
    rate = SpeechRate()
    for _ in range(20):
        rate.wrote(50, 50 * writing)
        rate.said(50, ASIDE + 50 * EACH, 0.15 + 50 * SAYING)
    return rate


@dataclass
class Heard:
    """A reply as it was heard: its clauses, when it began, and the gaps in it in seconds."""

    clauses: list[str] = field(default_factory=list)
    begun: float = 0.0
    gaps: list[float] = field(default_factory=list)


def hear(reply: str, writing: float, rate: SpeechRate, first_words: int = 0) -> Heard:
    """Write, synthesize and play `reply` at the rates of a machine."""
    cutter = ClauseCutter(first_words, timing=CutPlan(rate))
    heard = Heard()
    now = idle = end = 0.0
    texts = [(char, writing) for char in reply] + [("", 0.0)]
    for char, seconds in texts:
        now += seconds
        for clause in cutter.push(char, now) if char else cutter.flush():
            length = len(clause.spoken)
            begins = max(now, idle) + ASIDE + EACH * length
            idle = begins + 0.1 * SAYING * length
            if not heard.clauses:
                heard.begun = begins
            elif begins > end:
                heard.gaps.append(begins - end)
            end = max(end, begins) + 0.15 + SAYING * length
            heard.clauses.append(clause.text)
    return heard


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize("writing", [0.001, 0.006, 0.012, 0.024, 0.036, 0.045])
def test_no_clause_comes_too_late_where_writing_is_faster_than_speech(
    reply: str, writing: float
) -> None:
    """However fast the machine, each clause begins before the one before it has been heard."""
    assert hear(reply, writing, measured(writing)).gaps == []


@pytest.mark.parametrize("reply", REPLIES)
def test_a_faster_machine_is_heard_no_later(reply: str) -> None:
    """The wait for the first sound only grows with the time it takes to write."""
    waits = [hear(reply, rate, measured(rate)).begun for rate in (0.006, 0.012, 0.024, 0.045, 0.1)]
    assert waits == sorted(waits)


@pytest.mark.parametrize("reply", REPLIES)
def test_a_slow_machine_waits_for_enough_and_a_fast_one_does_not(reply: str) -> None:
    """The first clause is short where the next one is there soon, and longer where it is not."""
    fast, slow = (len(hear(reply, rate, measured(rate)).clauses[0]) for rate in (0.008, 0.045))
    assert fast < slow
    assert fast <= 24


def test_where_waiting_costs_nothing_the_first_clause_ends_where_one_would_breathe() -> None:
    """A text that is there at once is not cut between two words."""
    for reply in REPLIES[:2] + REPLIES[3:]:
        first = hear(reply, 0.0005, measured(0.0005)).clauses[0]
        assert first.rstrip()[-1] in ",.!"


def test_nothing_is_cut_behind_a_word_that_leans_forward() -> None:
    """Not even in a hurry does a clause end with an article or a preposition."""
    for reply in REPLIES:
        for writing in (0.006, 0.012, 0.024, 0.036, 0.045):
            for clause in hear(reply, writing, measured(writing)).clauses:
                assert clause.split()[-1].lower() not in ("the", "of", "a", "is", "to", "under")


def test_a_number_of_words_in_the_settings_is_kept_to() -> None:
    """With tts.first_clause_words the first clause no longer depends on the machine."""
    clauses = [hear(REPLIES[2], rate, measured(rate), 4).clauses for rate in (0.001, 0.05)]
    assert clauses[0] == clauses[1]
    assert len(clauses[0][0].split()) >= 4


def test_before_anything_is_measured_the_machine_is_taken_for_a_slow_one() -> None:
    """A first reply must not stutter: it begins no earlier than on a machine that is known."""
    for reply in REPLIES:
        unknown, known = hear(reply, 0.024, SpeechRate()), hear(reply, 0.024, measured(0.024))
        assert unknown.gaps == []
        assert unknown.begun >= known.begun


def test_contention_is_noticed_within_a_reply() -> None:
    """When writing becomes three times slower, the rate has nearly followed 30 words later."""
    rate = measured(0.012)
    for _ in range(30):
        rate.wrote(5, 5 * 0.036)
    assert rate.writing > 0.028
    for _ in range(30):
        rate.wrote(5, 5 * 0.012)
    assert rate.writing < 0.020


def test_tokens_are_timed_one_after_the_other() -> None:
    """A reply's rate is that of its own tokens: not of the wait for the first, nor of those that
    had been made before they were wanted."""
    rate = measured(0.012)
    plan, now = CutPlan(rate), 100.0
    for index in range(400):
        now += 0.0 if index < 100 else 0.1
        plan.wrote(4 if index % 2 else 0, now)
    assert rate.writing == pytest.approx(0.2 / 4, rel=0.05)


@given(RATES, RATES, st.sampled_from(sorted(FEWEST)), st.integers(1, 40), st.integers(1, 300))
def test_what_is_enough_for_a_slow_machine_is_enough_for_a_fast_one(
    one: float, other: float, kind: Break, words: int, chars: int
) -> None:
    """Except that between two words nothing is cut where a breath costs no time."""
    fast, slow = (CutPlan(measured(rate)) for rate in sorted((one, other)))
    if kind != "word" and slow.may_begin(kind, words, chars):
        assert fast.may_begin(kind, words, chars)


@given(RATES, st.sampled_from(sorted(FEWEST)), st.integers(1, 40), st.integers(1, 300))
def test_what_is_enough_stays_enough_as_text_is_added(
    rate: float, kind: Break, words: int, chars: int
) -> None:
    """A longer clause may be cut wherever a shorter one may."""
    plan = CutPlan(measured(rate))
    if plan.may_begin(kind, words, chars):
        assert plan.may_begin(kind, words + 1, chars + 1)


@given(RATES)
def test_a_first_clause_is_never_longer_than_a_later_one_may_be(rate: float) -> None:
    """However slow writing is, a first clause ends where any clause would."""
    text = "some people walk home slowly, " * 40
    assert len(hear(text, rate, measured(rate)).clauses[0].split()) <= LATER["word"] + 4


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(-1.0, 100.0)), max_size=50))
def test_rates_stay_sane_whatever_is_measured(times: list[tuple[int, float]]) -> None:
    """Nothing written, no time passed or a clock that stepped back break no rate."""
    rate = SpeechRate()
    for chars, seconds in times:
        rate.wrote(chars, seconds)
        rate.said(chars, seconds, seconds)
    assert rate.writing >= 0.0
    assert rate.saying >= 0.0
    assert rate.beginning(10) >= 0.0


def test_a_clause_that_became_shorter_than_expected_brings_the_next_one_forward() -> None:
    """When the one before ends is known once it is synthesized, and not only by the rates."""
    rate = measured(0.03)
    plan = CutPlan(rate)
    plan.cut(30, 1.0)
    expected = plan.end
    assert expected is not None
    sound = rate.sound(30)
    rate.said(30, 0.1, sound - 0.4)
    assert plan.end == pytest.approx(expected - 0.4)
    assert CutPlan(rate).end is None
    later = CutPlan(rate)
    later.cut(30, 9.0)
    assert later.end == pytest.approx(9.0 + rate.beginning(30) + rate.sound(30)), (
        "what earlier replies were is in the rates"
    )


def test_a_comma_is_taken_where_the_next_break_would_come_too_late() -> None:
    """Between words there may be none to cut at for a while: a number is one, and slow to write."""
    plan = CutPlan(SpeechRate())
    plan.cut(24, 0.5)
    assert plan.must_go_on("comma", 5, 20, 0.6)
    assert not plan.must_go_on("word", 5, 20, 0.6)
