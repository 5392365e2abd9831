"""Trims the silence of clauses, so that parts of a sentence follow each other naturally.

A synthesizer ends each clause like a sentence: the pitch falls, and 0.2 s of silence follow.
Silence before the first word of a reply only adds to the response time.
"""

from __future__ import annotations

from edgevoice.audio import Audio, first_audible

BEFORE = 0.005
"""Seconds of silence left before the first sound of a reply."""
AFTER_PAUSE, AFTER_WORD = 0.1, 0.015
"""Seconds of silence left after a comma, and after a cut between two words."""

_ENDS = ".!?…؟۔।॥։።。！？｡:"
_PAUSES = ",;—–、，；"
_CLOSERS = "\"'”’»›)]}」』）】》〉"


def held_up(spoken: str) -> str:
    """The text for the voice, so that the pitch does not fall at a cut between two words."""
    return f"{spoken.rstrip()}," if tail(spoken) == AFTER_WORD else spoken


def shortened(audio: Audio, spoken: str, *, first: bool) -> Audio | None:
    """A piece of the clause `spoken` without unneeded silence; None if nothing is left.

    `first`: it is the first piece of the reply.
    """
    if first:
        begun = _without_lead(audio)
        if begun is None:
            return None
        audio = begun
    silence = tail(spoken)
    return audio if silence is None or audio.left else _without_tail(audio, silence)


def tail(spoken: str) -> float | None:
    """Seconds of silence to leave after the clause `spoken`; None: all of it."""
    last = spoken.rstrip().rstrip(_CLOSERS)[-1:]
    if not last or last in _ENDS:
        return None
    return AFTER_PAUSE if last in _PAUSES else AFTER_WORD


def _without_lead(audio: Audio) -> Audio | None:
    """The first piece of a reply from just before its first sound; None if it is silent."""
    start = first_audible(audio.samples)
    if start == len(audio.samples):
        return None
    start = max(0, start - int(BEFORE * audio.rate))
    begun = Audio(audio.samples[start:], audio.rate, audio.left)
    return begun if audio.marks is None else begun.marked(audio.marks, -start)


def _without_tail(audio: Audio, seconds: float) -> Audio:
    """The last piece of a clause with at most `seconds` of silence at its end."""
    silent = first_audible(audio.samples[::-1])
    kept = min(len(audio.samples), len(audio.samples) - silent + int(seconds * audio.rate))
    return Audio(audio.samples[:kept], audio.rate, audio.left, audio.marks)
