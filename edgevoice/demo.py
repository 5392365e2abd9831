"""The demo's user: questions spoken by the voice itself, pitched up so that it sounds like two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from edgevoice.audio import EAR_RATE, Samples
from edgevoice.protocols import Synthesizer
from edgevoice.resample import resample

QUESTIONS = (
    "What is the capital of France?",
    "And what is it famous for?",
    "How do you say good evening in French?",
)

PITCH = 1.12
"""How much higher the user speaks than the assistant; faster by as much, too."""


def spoken(questions: Sequence[str], voice: Synthesizer) -> Iterator[Samples]:
    """Each question as sound, float32 [n] at 16 kHz, made when it is asked for."""
    for question in questions:
        pieces = [audio.samples for audio in voice.synthesize(question, lambda: False)]
        if pieces:
            yield resample(np.concatenate(pieces), round(voice.rate * PITCH), EAR_RATE)
