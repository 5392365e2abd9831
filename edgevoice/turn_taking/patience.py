"""How long a silence must last before it is the end, weighed from what was said and how.

Pure arithmetic between two limits. Waiting is cheap, for the answer is being made meanwhile, and
cutting somebody off is not: each kind of evidence can only forbid an early end, and the more
cautious of the two decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgevoice.settings import TurnSettings
from edgevoice.turn_taking.completeness import Completeness

PRESETS: dict[str, tuple[int, int]] = {
    "quick": (160, 1200),
    "normal": (200, 1800),
    "patient": (400, 2800),
}
"""The shortest and the longest wait of each patience, in milliseconds."""

SURE = 0.98
"""Probability of a finished turn from which the detector asks for no more than the shortest."""
UNSURE = 0.3
"""Probability from which it asks for the longest."""

SHARES: dict[Completeness, float] = {
    Completeness.QUESTION: 0.0,
    Completeness.COMMAND: 0.2,
    Completeness.STATEMENT: 0.8,
    Completeness.FRAGMENT: 0.9,
    Completeness.INCOMPLETE: 1.0,
}
"""How far from the shortest towards the longest wait each form of transcript asks to go."""

MOST: dict[Completeness, float] = {Completeness.QUESTION: 0.4, Completeness.COMMAND: 0.8}
"""The share at most, however it sounded: some voices do not fall at the end of what is whole."""

UNHEARD = 0.3
"""The share while no detector has spoken: the words alone do not tell how they were said."""
UNREAD = 0.9
"""The share while there is no transcript: a tone alone does not tell what was said."""


@dataclass(frozen=True, slots=True)
class PauseEvidence:
    """What is known of one pause; None is not known (yet).

    `complete` is a detector's probability in [0, 1] that the turn is finished.
    """

    complete: float | None = None
    completeness: Completeness | None = None


def limits(settings: TurnSettings, tempo: float = 1.0) -> tuple[int, int]:
    """The shortest and the longest wait in ms: as set, else the preset's times `tempo`."""
    shortest, longest = PRESETS[settings.patience]
    shortest = settings.min_silence_ms or round(shortest * tempo)
    longest = settings.max_silence_ms or round(longest * tempo)
    return min(shortest, longest), longest


def wait_ms(settings: TurnSettings, evidence: PauseEvidence, tempo: float = 1.0) -> float:
    """Milliseconds after the last voiced sample at which the turn is over, by this evidence, for a
    speaker of this `tempo`."""
    if settings.silence_ms:
        return settings.silence_ms
    shortest, longest = limits(settings, tempo)
    if evidence.complete is None and evidence.completeness is None:
        return longest
    heard = UNHEARD if evidence.complete is None else doubt(evidence.complete)
    read = UNREAD if evidence.completeness is None else SHARES[evidence.completeness]
    if evidence.completeness in MOST:
        heard = min(heard, MOST[evidence.completeness])
    return shortest + max(heard, read) * (longest - shortest)


def longest_ms(settings: TurnSettings, tempo: float = 1.0) -> int:
    """The silence that ends a turn whatever was said."""
    return settings.silence_ms or limits(settings, tempo)[1]


def doubt(complete: float) -> float:
    """The share of the wait that a detector's probability asks for, in [0, 1]."""
    return min(1.0, max(0.0, (SURE - complete) / (SURE - UNSURE)))
