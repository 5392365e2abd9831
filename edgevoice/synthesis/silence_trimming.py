"""How clauses follow each other: as parts of a sentence, where they are.

A synthesizer ends whatever it is given as if it were a sentence: the voice falls, with a fifth of
a second of silence behind it. And what is silent before the first word of a reply is waited for.
"""

from __future__ import annotations

from edgevoice.audio import Audio, first_audible

BEFORE = 0.005
"""Seconds of silence left before the first sound of a reply."""
AFTER_PAUSE, AFTER_WORD = 0.1, 0.015
"""Seconds of silence left behind a comma, and where a sentence is cut between two words."""

_ENDS = ".!?…؟۔।॥։።。！？｡:"
_PAUSES = ",;—–、，；"
_CLOSERS = "\"'”’»›)]}」』）】》〉"


def held_up(spoken: str) -> str:
    """What to give a voice so that it does not fall where a sentence is cut between two words."""
    return f"{spoken.rstrip()}," if tail(spoken) == AFTER_WORD else spoken


def shortened(audio: Audio, spoken: str, *, first: bool) -> Audio | None:
    """A piece of what is `spoken` without silence that is only waited through.

    `first`: nothing of the reply was heard before it. None if there is nothing left of it.
    """
    if first:
        begun = _without_lead(audio)
        if begun is None:
            return None
        audio = begun
    silence = tail(spoken)
    return audio if silence is None or audio.left else _without_tail(audio, silence)


def tail(spoken: str) -> float | None:
    """Seconds of silence to be left behind what is `spoken`; None: as much as the voice makes."""
    last = spoken.rstrip().rstrip(_CLOSERS)[-1:]
    if not last or last in _ENDS:
        return None
    return AFTER_PAUSE if last in _PAUSES else AFTER_WORD


def _without_lead(audio: Audio) -> Audio | None:
    """The first piece of a reply from just before its first sound; None if it has none."""
    start = first_audible(audio.samples)
    if start == len(audio.samples):
        return None
    start = max(0, start - int(BEFORE * audio.rate))
    begun = Audio(audio.samples[start:], audio.rate, audio.left)
    return begun if audio.marks is None else begun.marked(audio.marks, -start)


def _without_tail(audio: Audio, seconds: float) -> Audio:
    """The last piece of a clause with at most so much silence at its end."""
    silent = first_audible(audio.samples[::-1])
    kept = min(len(audio.samples), len(audio.samples) - silent + int(seconds * audio.rate))
    return Audio(audio.samples[:kept], audio.rate, audio.left, audio.marks)
