"""The speaker's tempo: a factor for the waits at the end of a turn in this conversation.

Pure arithmetic. The factor grows at once when the speaker was cut off or nearly so. It falls
slowly, turn by turn, to the value for the speaker's rate. Silences are in milliseconds, rates in
words per second of voice.
"""

from __future__ import annotations

from edgevoice.settings import TurnSettings

SLOWEST, QUICKEST = 1.6, 0.8
"""Range of the factor: with `normal`, a silence of 2.9 s or 1.4 s ends any turn."""

CUT_OFF = 1.35
"""Least growth of the factor after a cut-off: two of them reach the end of the range."""
SPARE_MS = 200
"""Extra silence in ms that is allowed after a cut-off, beyond the one that caused it."""

NEARLY = 0.8
"""Share of a wait from which a pause counts as a near cut-off."""
NEARLY_CUT_OFF = 1.1

DOWN, UP = 0.05, 0.2
"""Share of the distance to the value for the rate, per turn without any cut-off."""

USUAL_RATE = 3.2
"""Words per second: the median of 127 recordings of people; 10 % are under 2.5, 10 % over 4.3."""
LEAST_WORDS = 5
"""Least words in a turn for its rate to count."""
NEWEST_TURN_WEIGHT = 0.3
"""Weight of the newest turn's rate."""


class SpeakerTempo:
    """Adapts to the pauses of one conversation; waits are multiplied by `factor`, 1 at first."""

    def __init__(self, settings: TurnSettings) -> None:
        fixed = settings.silence_ms or (settings.min_silence_ms and settings.max_silence_ms)
        self._adapts = settings.adapt and not fixed
        self.reset()

    def reset(self) -> None:
        """Start again: the speaker may be another one."""
        self.factor = 1.0
        self._rate: float | None = None
        self._hurried = False

    def paused(self, silence_ms: float, wait_ms: float) -> None:
        """The speaker went on after a silence; `wait_ms` would have ended the turn."""
        if wait_ms and silence_ms >= NEARLY * wait_ms:
            self._hurried = True
            self._grow(NEARLY_CUT_OFF)

    def cut_off(self, silence_ms: float, wait_ms: float) -> None:
        """The speaker went on after a silence that had ended the turn, at `wait_ms`."""
        self._hurried = True
        self._grow(max(CUT_OFF, (silence_ms + SPARE_MS) / max(wait_ms, 1.0)))

    def spoke(self, words: int, voiced_seconds: float) -> None:
        """A turn with `words` words has ended."""
        if words >= LEAST_WORDS and voiced_seconds > 0:
            rate = words / voiced_seconds
            self._rate = (
                rate
                if self._rate is None
                else self._rate + (rate - self._rate) * NEWEST_TURN_WEIGHT
            )
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
