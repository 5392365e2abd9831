"""Silence that nobody needs is not waited for, and not put into the middle of a sentence."""

from __future__ import annotations

import numpy as np
import pytest

from edgevoice.audio import Audio, Samples
from edgevoice.synthesis.silence_trimming import AFTER_PAUSE, AFTER_WORD, BEFORE, held_up, shortened

RATE = 1000


def sound(before: float, tone: float, after: float, left: int = 0) -> Audio:
    """A tone between two silences, in seconds."""
    parts = [
        np.zeros(int(before * RATE)),
        np.full(int(tone * RATE), 0.5),
        np.zeros(int(after * RATE)),
    ]
    samples: Samples = np.concatenate(parts).astype(np.float32)
    return Audio(samples, RATE, left)


def seconds(audio: Audio | None) -> float:
    assert audio is not None
    return audio.seconds


def test_a_reply_begins_with_its_first_sound() -> None:
    """What is silent before the first word of a reply is cut, but for a few milliseconds."""
    assert seconds(shortened(sound(0.05, 1, 0), "Yes.", first=True)) == pytest.approx(1 + BEFORE)
    assert seconds(shortened(sound(0.05, 1, 0), "Yes.", first=False)) == pytest.approx(1.05)
    assert seconds(shortened(sound(0.0, 1, 0), "Yes.", first=True)) == 1


def test_a_piece_that_is_nothing_but_silence_does_not_begin_a_reply() -> None:
    """The wait goes on until there is something to hear."""
    assert shortened(sound(0.2, 0, 0), "Yes.", first=True) is None


@pytest.mark.parametrize(
    ("spoken", "kept"),
    [
        ("It is Paris.", 0.2),
        ("Is it?", 0.2),
        ('He said "no."', 0.2),
        ("これは本です。", 0.2),
        ("Of course,", AFTER_PAUSE),
        ("not today;", AFTER_PAUSE),
        ("The capital of France", AFTER_WORD),
        ("(as it were)", AFTER_WORD),
    ],
)
def test_the_silence_behind_a_clause_is_that_of_its_last_sign(spoken: str, kept: float) -> None:
    """A sentence ends in the voice's own silence, a comma in a short one, a cut in next to none."""
    assert seconds(shortened(sound(0, 1, 0.2), spoken, first=False)) == pytest.approx(1 + kept)


def test_the_voice_is_held_up_where_a_sentence_is_cut() -> None:
    """Between two words it is told that more follows; where a sign stands it knows what to do."""
    assert held_up("The capital of France ") == "The capital of France,"
    for spoken in ("Of course,", "It is.", "Is it?", 'He said "no."', "as follows:", ""):
        assert held_up(spoken) == spoken


def test_only_the_last_piece_ends_a_clause() -> None:
    """A silence within a clause, however it is cut into pieces, is left alone."""
    piece = sound(0, 0.1, 0.2, left=500)
    assert seconds(shortened(piece, "Of course", first=False)) == pytest.approx(0.3)


def test_what_follows_is_still_known() -> None:
    """How much sound is left is told of a shortened piece, too."""
    begun = shortened(sound(0.05, 1, 0, left=700), "Yes.", first=True)
    assert begun is not None
    assert begun.left == 700


def test_a_clause_without_any_sound_keeps_what_little_it_may() -> None:
    """Silence behind nothing is cut like any other."""
    assert seconds(shortened(sound(0.3, 0, 0), "mm", first=False)) == pytest.approx(AFTER_WORD)
