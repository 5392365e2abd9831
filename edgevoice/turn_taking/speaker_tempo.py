"""The pace of one speaker: how much longer or shorter silences are waited for in this conversation.

Pure arithmetic. One factor stretches or shrinks every wait. It grows at once when the speaker was
cut off or nearly so, and comes down slowly, turn by turn, to what the speaker's rate asks for.
Silences are milliseconds, rates words per second of voice.
"""

from __future__ import annotations

from edgevoice.settings import TurnSettings

SLOWEST, QUICKEST = 1.6, 0.8
"""How far the factor goes: with `normal`, a silence of 2.9 s or 1.4 s ends any turn."""

CUT_OFF = 1.35
"""The factor's growth with one cut-off, at least: two of them reach the end of its range."""
SPARE_MS = 200
"""How much longer than the silence that cut somebody off the next of its kind is to be allowed."""

NEARLY = 0.8
"""Share of a wait from which a pause within a turn was nearly the end of it."""
NEARLY_CUT_OFF = 1.1

DOWN, UP = 0.05, 0.2
"""Shares of the way to where the rate would have it that one turn without either goes."""

USUAL_RATE = 3.2
"""Words per second: the median of 127 recordings of people; one in ten has under 2.5, one in ten
over 4.3."""
LEAST_WORDS = 5
"""A turn of fewer words tells nothing of a rate."""
NEWEST = 0.3
"""The weight of the newest turn's rate."""


class SpeakerTempo:
    """Learns from the pauses of one conversation; `factor` is what to wait by, 1 at first."""

    def __init__(self, settings: TurnSettings) -> None:
        fixed = settings.silence_ms or (settings.min_silence_ms and settings.max_silence_ms)
        self._adapts = settings.adapt and not fixed
        self.reset()

    def reset(self) -> None:
        """Somebody else may be speaking: begin anew."""
        self.factor = 1.0
        self._rate: float | None = None
        self._hurried = False

    def paused(self, silence_ms: float, wait_ms: float) -> None:
        """The speaker went on after a silence, where `wait_ms` of it would have ended the turn."""
        if wait_ms and silence_ms >= NEARLY * wait_ms:
            self._hurried = True
            self._grow(NEARLY_CUT_OFF)

    def cut_off(self, silence_ms: float, wait_ms: float) -> None:
        """The speaker went on after a silence that had ended the turn, at `wait_ms`."""
        self._hurried = True
        self._grow(max(CUT_OFF, (silence_ms + SPARE_MS) / max(wait_ms, 1.0)))

    def spoke(self, words: int, voiced_seconds: float) -> None:
        """A turn of so many words is over."""
        if words >= LEAST_WORDS and voiced_seconds > 0:
            rate = words / voiced_seconds
            self._rate = rate if self._rate is None else self._rate + (rate - self._rate) * NEWEST
        if not self._hurried:
            aim = 1.0 if self._rate is None else _bounded(USUAL_RATE / self._rate)
            self._set(self.factor + (aim - self.factor) * (DOWN if aim < self.factor else UP))
        self._hurried = False

    def _grow(self, by: float) -> None:
        self._set(self.factor * by)

    def _set(self, factor: float) -> None:
        if self._adapts:
            self.factor = _bounded(factor)


def _bounded(factor: float) -> float:
    return min(SLOWEST, max(QUICKEST, factor))
