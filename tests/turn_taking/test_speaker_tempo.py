"""What one conversation teaches about how long to wait."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice.settings import TurnSettings
from edgevoice.turn_taking.speaker_tempo import QUICKEST, SLOWEST, USUAL_RATE, SpeakerTempo

SETTINGS = TurnSettings()


def talk(pace: SpeakerTempo, rate: float, turns: int) -> list[float]:
    """Uncontradicted turns at `rate` words a second; the factor after each."""
    factors = []
    for _ in range(turns):
        pace.spoke(12, 12 / rate)
        factors.append(pace.factor)
    return factors


def test_one_cut_off_lengthens_the_next_wait_beyond_the_silence_that_was_cut() -> None:
    """Quick to widen: who went on after 700 ms where 600 had been waited may do it again."""
    pace = SpeakerTempo(SETTINGS)
    pace.cut_off(700, 600)
    assert pace.factor * 600 > 700


def test_a_pause_that_was_nearly_the_end_widens_too() -> None:
    """Luck is no reason to leave it at that."""
    pace = SpeakerTempo(SETTINGS)
    pace.paused(1700, 1800)
    assert 1.0 < pace.factor < 1.35


def test_a_pause_well_within_the_wait_changes_nothing() -> None:
    """That is what the wait is for."""
    pace = SpeakerTempo(SETTINGS)
    pace.paused(600, 1800)
    assert pace.factor == 1.0


def test_what_a_cut_off_widened_comes_back_slowly() -> None:
    """Ten turns without another one take back less than half of it."""
    pace = SpeakerTempo(SETTINGS)
    pace.cut_off(700, 600)
    widened = pace.factor - 1.0
    factors = talk(pace, USUAL_RATE, 10)
    assert all(later < earlier for earlier, later in itertools.pairwise(factors))
    assert factors[-1] - 1.0 > widened / 2


def test_a_turn_with_a_near_cut_off_takes_nothing_back() -> None:
    """Only turns that went well narrow the wait."""
    pace = SpeakerTempo(SETTINGS)
    pace.paused(1700, 1800)
    widened = pace.factor
    pace.spoke(12, 12 / USUAL_RATE)
    assert pace.factor == widened


def test_slow_speakers_are_given_more_time_and_quick_ones_less() -> None:
    """Pauses are as long as the words between them are slow."""
    slow, quick = SpeakerTempo(SETTINGS), SpeakerTempo(SETTINGS)
    assert talk(slow, USUAL_RATE / 1.4, 20)[-1] > 1.2
    assert talk(quick, USUAL_RATE * 1.4, 60)[-1] < 0.85


def test_a_word_or_two_tell_no_rate() -> None:
    """Who says "yes" says it at any pace."""
    pace = SpeakerTempo(SETTINGS)
    for _ in range(20):
        pace.spoke(1, 0.9)
    assert pace.factor == 1.0


def test_a_new_conversation_begins_anew() -> None:
    """Somebody else may be speaking."""
    pace = SpeakerTempo(SETTINGS)
    talk(pace, 1.5, 5)
    pace.cut_off(700, 600)
    pace.reset()
    assert pace.factor == 1.0


def test_it_can_be_switched_off() -> None:
    """turn.adapt = false: the waits stay as patience has them."""
    pace = SpeakerTempo(TurnSettings(adapt=False))
    pace.cut_off(1500, 500)
    talk(pace, 1.0, 5)
    assert pace.factor == 1.0


@pytest.mark.parametrize(
    "fixed", [TurnSettings(silence_ms=900), TurnSettings(min_silence_ms=300, max_silence_ms=1500)]
)
def test_waits_that_are_set_are_not_learned(fixed: TurnSettings) -> None:
    """What has no effect is not told."""
    pace = SpeakerTempo(fixed)
    pace.cut_off(1500, 500)
    assert pace.factor == 1.0


@given(
    st.lists(
        st.tuples(st.sampled_from(["cut", "pause", "spoke"]), st.floats(0, 1e4), st.floats(0, 1e4))
    )
)
def test_whatever_happens_the_factor_stays_in_its_bounds(
    story: list[tuple[str, float, float]],
) -> None:
    """No conversation makes it wait for ever, or not at all."""
    pace = SpeakerTempo(SETTINGS)
    for what, one, other in story:
        match what:
            case "cut":
                pace.cut_off(one, other)
            case "pause":
                pace.paused(one, other)
            case _:
                pace.spoke(int(one), other)
        assert QUICKEST <= pace.factor <= SLOWEST
