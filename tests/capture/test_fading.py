"""A voice that fades is noticed before the speech detector notices the silence."""

from __future__ import annotations

import numpy as np

from edgevoice.audio import FRAME_SAMPLES, Samples
from edgevoice.capture.fading import FadingVoice


def _frame(loudness: float) -> Samples:
    return np.full(FRAME_SAMPLES, loudness, dtype=np.float32)


def _after(*loudnesses: float) -> int:
    """The frames up to which there may be words, after voiced frames of these loudnesses."""
    voice = FadingVoice()
    for number, loudness in enumerate(loudnesses, 1):
        voice.push(_frame(loudness), number * FRAME_SAMPLES)
    return voice.words_end // FRAME_SAMPLES


def test_a_faint_tail_holds_no_words() -> None:
    """What the speech detector takes for speech after the last loud frame is no word."""
    assert _after(0.1, 0.2, 0.01, 0.005) == 2


def test_a_loud_frame_ends_the_tail() -> None:
    """A stop within a word is a faint frame, too: the word goes on after it."""
    assert _after(0.2, 0.01, 0.2) == 3


def test_only_a_short_tail_holds_no_words() -> None:
    """Speech that goes on quietly may hold words again."""
    assert _after(0.2, *[0.01] * 5) == 4


def test_a_quieter_voice_is_heard_after_a_while() -> None:
    """A speaker who goes on more quietly is not faint for ever."""
    assert _after(0.2, *[0.02] * 20) == 21
