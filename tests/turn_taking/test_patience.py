"""How long a silence must last, by what is known of it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice.settings import TurnSettings
from edgevoice.turn_taking.completeness import Completeness
from edgevoice.turn_taking.patience import (
    PATIENCE_PRESETS,
    PauseEvidence,
    limits,
    longest_ms,
    wait_ms,
)

NORMAL = TurnSettings()
SHORTEST, LONGEST = PATIENCE_PRESETS["normal"]


def test_a_whole_question_that_sounds_finished_waits_no_longer_than_it_must() -> None:
    """Words and tone agree: about a fifth of a second."""
    assert wait_ms(NORMAL, PauseEvidence(0.99, Completeness.QUESTION)) == SHORTEST == 200


def test_a_thought_that_hangs_in_the_air_waits_longest_however_it_sounds() -> None:
    """A tone cannot end what the words leave open: well over a second."""
    assert wait_ms(NORMAL, PauseEvidence(1.0, Completeness.INCOMPLETE)) == LONGEST > 1200


def test_without_evidence_the_longest_wait_holds() -> None:
    """Nothing is ended early on nothing."""
    assert wait_ms(NORMAL, PauseEvidence()) == LONGEST


def test_each_form_waits_longer_than_the_one_before() -> None:
    """Questions, commands, statements, fragments, what hangs: in this order, at any one tone."""
    for complete in (None, 0.99, 0.9):
        waits = [wait_ms(NORMAL, PauseEvidence(complete, form)) for form in Completeness]
        assert waits == sorted(waits)
        assert waits[0] < waits[2]


def test_a_tone_alone_ends_nothing_soon() -> None:
    """How it sounded does not tell what was said: without a transcript it is nearly the longest."""
    assert wait_ms(NORMAL, PauseEvidence(1.0, None)) > 0.8 * LONGEST


def test_words_alone_wait_longer_than_words_that_also_sounded_finished() -> None:
    """Without a detector a question waits a moment more, still under a second."""
    unheard = wait_ms(NORMAL, PauseEvidence(None, Completeness.QUESTION))
    assert wait_ms(NORMAL, PauseEvidence(0.99, Completeness.QUESTION)) < unheard < 1000


def test_a_question_that_does_not_sound_like_an_end_is_given_time_but_not_all() -> None:
    """Some voices do not fall at the end of a question: half way at most."""
    doubtful = wait_ms(NORMAL, PauseEvidence(0.0, Completeness.QUESTION))
    assert SHORTEST < doubtful < (SHORTEST + LONGEST) / 2


@given(
    st.floats(0, 1) | st.none(),
    st.sampled_from(Completeness) | st.none(),
    st.sampled_from(list(PATIENCE_PRESETS)),
)
def test_no_wait_is_outside_the_limits(
    complete: float | None, form: Completeness | None, patience: str
) -> None:
    """Whatever the evidence, the two settings bound it."""
    settings = TurnSettings(patience=patience)  # type: ignore[arg-type]
    shortest, longest = limits(settings)
    assert shortest <= wait_ms(settings, PauseEvidence(complete, form)) <= longest


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from(Completeness))
def test_the_more_finished_it_sounds_the_shorter_the_wait(
    one: float, two: float, form: Completeness
) -> None:
    """More certainty never costs time."""
    low, high = sorted((one, two))
    assert wait_ms(NORMAL, PauseEvidence(high, form)) <= wait_ms(NORMAL, PauseEvidence(low, form))


def test_the_presets_are_in_order() -> None:
    """Quick is quicker than normal, normal than patient, in both limits."""
    ordered = [limits(TurnSettings(patience=name)) for name in ("quick", "normal", "patient")]
    for less, more in itertools.pairwise(ordered):
        assert less[0] < more[0]
        assert less[1] < more[1]


def test_an_explicit_limit_overrides_the_preset_and_leaves_the_other() -> None:
    """Each limit stands for itself; where they cross, the longest counts."""
    assert limits(TurnSettings(min_silence_ms=300)) == (300, LONGEST)
    assert limits(TurnSettings(patience="patient", max_silence_ms=2000)) == (400, 2000)
    assert limits(TurnSettings(min_silence_ms=900, max_silence_ms=600)) == (600, 600)


@pytest.mark.parametrize("form", [None, *Completeness])
def test_a_fixed_silence_is_fixed(form: Completeness | None) -> None:
    """silence_ms switches all weighing off."""
    settings = TurnSettings(silence_ms=700, min_silence_ms=100, max_silence_ms=3000)
    assert wait_ms(settings, PauseEvidence(0.99, form)) == 700
    assert longest_ms(settings) == 700
