"""Endpointing: from speech probabilities, frame by frame, to where an utterance begins and ends.

Pure: it knows samples and silence, not clocks or engines. A pause is reported before the end, so
that work on the answer can begin while it is still uncertain whether the user goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from edgevoice.audio import EAR_RATE, FRAME_SAMPLES
from edgevoice.config import TurnSettings

HYSTERESIS = 0.15
"""How far below the threshold the probability must fall before a frame counts as silence."""

RESUME_SAMPLES = 2 * FRAME_SAMPLES
"""Voiced samples after a pause that mean the user goes on; one frame may be a click."""


class Signal(Enum):
    """What a frame has made certain."""

    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Mark:
    """A signal and the stream index it speaks of: the first voiced sample for STARTED and RESUMED,
    the one after the last voiced sample for PAUSED and ENDED."""

    signal: Signal
    index: int


class Endpoint:
    """Follows one stream of frames of `FRAME_SAMPLES` samples."""

    def __init__(self, settings: TurnSettings) -> None:
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        """Forget the utterance under way."""
        self._speaking = False
        self._paused = False
        self._held = False
        self._run = 0
        self._run_start = 0
        self._started = 0
        self._voiced_end = 0
        self.voiced = 0
        """Voiced samples of the utterance so far."""

    @property
    def speaking(self) -> bool:
        """Whether an utterance is under way, pauses included."""
        return self._speaking

    @property
    def paused(self) -> bool:
        """Whether the utterance is in a pause that has been reported."""
        return self._paused

    def hold(self, index: int) -> Mark | None:
        """Begin an utterance at `index` whatever is heard, and let no silence end it."""
        self._held = True
        if self._speaking:
            return None
        self._begin(index)
        return Mark(Signal.STARTED, index)

    def release(self, index: int) -> Mark | None:
        """End the utterance that was held."""
        if not (self._held and self._speaking):
            return None
        self._voiced_end = self._voiced_end or index
        return self._end()

    def step(self, probability: float, index: int, *, interrupting: bool = False) -> Mark | None:
        """Take the frame that begins at `index`; at most one mark becomes certain with it.

        `interrupting` asks for the longer voiced time of a barge-in before an utterance begins.
        """
        s = self._settings
        end = index + FRAME_SAMPLES
        floor = s.speech_threshold - (HYSTERESIS if self._run or self._speaking else 0.0)
        if probability >= max(floor, 0.01):
            if not self._run:
                self._run_start = index
            self._run += FRAME_SAMPLES
            if self._speaking:
                return self._voiced(end)
            needed = s.barge_in_ms if interrupting else s.min_speech_ms
            if self._run >= _samples(needed):
                self._begin(self._run_start)
                self._voiced_end = end
                self.voiced = self._run
                return Mark(Signal.STARTED, self._run_start)
            return None
        self._run = 0
        if not self._speaking or self._held:
            return None
        silence = end - self._voiced_end
        if silence >= _samples(s.silence_ms) or end - self._started >= s.max_seconds * EAR_RATE:
            return self._end()
        if not self._paused and silence >= _samples(s.pause_ms):
            self._paused = True
            return Mark(Signal.PAUSED, self._voiced_end)
        return None

    def _voiced(self, end: int) -> Mark | None:
        if self._paused and self._run < RESUME_SAMPLES:
            return None
        self.voiced += FRAME_SAMPLES
        self._voiced_end = end
        if self._paused:
            self._paused = False
            return Mark(Signal.RESUMED, self._run_start)
        if not self._held and end - self._started >= self._settings.max_seconds * EAR_RATE:
            return self._end()
        return None

    def _begin(self, index: int) -> None:
        self._speaking = True
        self._paused = False
        self._started = index
        self._voiced_end = 0
        self.voiced = 0

    def _end(self) -> Mark:
        mark = Mark(Signal.ENDED, self._voiced_end)
        voiced = self.voiced
        self.reset()
        self.voiced = voiced
        return mark


def _samples(milliseconds: float) -> int:
    return int(milliseconds * EAR_RATE / 1000)
