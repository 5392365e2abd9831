"""Whether a voice is fast enough for a conversation on this machine."""

from __future__ import annotations

from collections.abc import Callable

from edgevoice.protocols import Synthesizer

SAMPLE_TEXT = "This voice is ready to speak."
COMFORTABLE = 0.5
"""A factor up to which nothing is measured again: the first run of a voice takes up to twice as
long as later ones."""


def real_time_factor(voice: Synthesizer, now: Callable[[], float]) -> float:
    """Seconds of work for a second of speech, with the clock `now`; 0 for a voice without sound.

    Above 1 the voice cannot keep up with itself. Raises EngineError.
    """
    found = _measured(voice, now)
    return min(found, _measured(voice, now)) if found > COMFORTABLE else found


def _measured(voice: Synthesizer, now: Callable[[], float]) -> float:
    began = now()
    seconds = sum(audio.seconds for audio in voice.synthesize(SAMPLE_TEXT, lambda: False))
    return (now() - began) / seconds if seconds else 0.0
