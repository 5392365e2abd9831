"""The silence that ends a turn, from the text and the sound of the utterance.

Pure arithmetic between two limits. Waiting costs little, because the reply is prepared meanwhile;
cutting the user off costs much. So each kind of evidence can only forbid an early end, and the
more cautious one decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgevoice.settings import TurnSettings
from edgevoice.turn_taking.completeness import Completeness

PATIENCE_PRESETS: dict[str, tuple[int, int]] = {
    "quick": (160, 1200),
    "normal": (200, 1800),
    "patient": (400, 2800),
}
"""The shortest and the longest wait of each patience, in milliseconds."""

SURE_END = 0.98
"""Probability of a finished turn from which the detector demands only the shortest wait."""
UNSURE = 0.3
"""Probability below which it demands the longest wait."""

SHARES: dict[Completeness, float] = {
    Completeness.QUESTION: 0.0,
    Completeness.COMMAND: 0.2,
    Completeness.STATEMENT: 0.8,
    Completeness.FRAGMENT: 0.9,
    Completeness.INCOMPLETE: 1.0,
}
"""Share of the range from the shortest to the longest wait, by completeness."""

MOST_SOUND_SHARE: dict[Completeness, float] = {
    Completeness.QUESTION: 0.4,
    Completeness.COMMAND: 0.8,
}
"""Highest share that the sound may demand, by completeness: some voices do not fall at the end."""

UNHEARD = 0.3
"""Least share without a score of the sound."""
UNREAD = 0.9
"""Least share without a transcript."""


@dataclass(frozen=True, slots=True)
class PauseEvidence:
    """The evidence about one pause; None: not known (yet).

    `complete` is the detector's probability in [0, 1] that the turn is finished.
    """

    complete: float | None = None
    completeness: Completeness | None = None


def limits(settings: TurnSettings, tempo: float = 1.0) -> tuple[int, int]:
    """The shortest and the longest wait in ms: as set, else the preset's times `tempo`."""
    shortest, longest = PATIENCE_PRESETS[settings.patience]
    shortest = settings.min_silence_ms or round(shortest * tempo)
    longest = settings.max_silence_ms or round(longest * tempo)
    return min(shortest, longest), longest


def wait_ms(settings: TurnSettings, evidence: PauseEvidence, tempo: float = 1.0) -> float:
    """Silence in milliseconds that ends the turn, by this evidence, for a speaker of this
    `tempo`."""
    if settings.silence_ms:
        return settings.silence_ms
    shortest, longest = limits(settings, tempo)
    if evidence.complete is None and evidence.completeness is None:
        return longest
    heard = UNHEARD if evidence.complete is None else doubt(evidence.complete)
    read = UNREAD if evidence.completeness is None else SHARES[evidence.completeness]
    if evidence.completeness in MOST_SOUND_SHARE:
        heard = min(heard, MOST_SOUND_SHARE[evidence.completeness])
    return shortest + max(heard, read) * (longest - shortest)


def longest_ms(settings: TurnSettings, tempo: float = 1.0) -> int:
    """Silence in milliseconds that ends any turn."""
    return settings.silence_ms or limits(settings, tempo)[1]


def doubt(complete: float) -> float:
    """The share of the range that the detector's probability demands, in [0, 1]."""
    return min(1.0, max(0.0, (SURE_END - complete) / (SURE_END - UNSURE)))
