"""The demo's user: questions in the assistant's voice, but at a higher pitch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.protocols import Synthesizer
from edgevoice.resample import resample

QUESTIONS = (
    "What is the capital of France?",
    "And what is it famous for?",
    "How do you say good evening in French?",
)

PITCH = 1.12
"""The user's pitch and speaking rate, as a factor of the assistant's."""


def spoken(questions: Sequence[str], voice: Synthesizer) -> Iterator[Samples]:
    """Each question as sound, float32 [n] at 16 kHz, synthesized when it is needed."""
    for question in questions:
        pieces = [audio.samples for audio in voice.synthesize(question, lambda: False)]
        if pieces:
            yield resample(np.concatenate(pieces), round(voice.rate * PITCH), CAPTURE_RATE)
