"""Speech too quiet for the detector: the user is told, since no answer will come."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from edgevoice import events as ev
from edgevoice.audio import Frame, dbfs
from edgevoice.protocols import SpeechDetector
from edgevoice.turn_taking.floor import Floor

TOO_QUIET = (
    "somebody speaks, but the microphone is too quiet to understand them: raise its input level in "
    "the system's sound settings, or come closer"
)
QUIETEST, FAINT = -95.0, -55.0
"""dBFS between which speech is faint: below there is nothing, above the detector hears it."""
GAIN = 10 ** (30 / 20)
"""By how much faint sound is made louder: with it, Silero hears speech at -80 dBFS as it does at
-45, and nothing in 23 of 25 recordings of noise; the other two have voices in them."""
LIKELY = 0.5
WINDOW, ENOUGH, PAUSE = 250, 25, 16
"""Frames: in the last 8 s there was speech for 0.8 s, and none for the last half second."""
AGAIN = 600.0
"""Seconds after which the user may be told again."""


class Faint:
    """Follows the frames of one source; belongs to the ears' thread."""

    def __init__(self, load: Callable[[], SpeechDetector | None], floor: Floor) -> None:
        self._load = load
        self._floor = floor
        self._detector: SpeechDetector | None = None
        self._recent: deque[bool] = deque(maxlen=WINDOW)
        self._told: float | None = None

    def load(self) -> None:
        """Load the detector, where there is one. Raises ModelError."""
        self._detector = self._load()

    def step(self, frame: Frame) -> None:
        """Take a frame that is meant for us."""
        if self._detector is None:
            return
        if self._floor.reply is not None:
            # Somebody was heard, and what is heard of the reply is no user's.
            self._recent.clear()
            return
        speech = False
        if QUIETEST < dbfs(frame.samples) < FAINT:
            louder = np.clip(frame.samples * np.float32(GAIN), -1.0, 1.0)
            speech = self._detector.probability(louder) >= LIKELY
        self._recent.append(speech)
        if sum(self._recent) < ENOUGH or any(list(self._recent)[-PAUSE:]) or self._floor.turns():
            # Of a turn under way it is not known yet whether it is understood.
            return
        self._recent.clear()
        now = self._floor.clock.now()
        if self._told is None or now - self._told >= AGAIN:
            self._told = now
            self._floor.bus.emit(ev.Notice(text=TOO_QUIET))
