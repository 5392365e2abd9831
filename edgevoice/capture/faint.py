"""Detects speech that is too quiet for the speech detector, and tells the user."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from edgevoice import events as ev
from edgevoice.audio import Frame, dbfs
from edgevoice.context import StageContext
from edgevoice.protocols import SpeechDetector

TOO_QUIET = (
    "there is speech, but the microphone is too quiet: raise its input level in the system's sound "
    "settings, or come closer"
)
QUIETEST, FAINT = -95.0, -55.0
"""Range of faint speech in dBFS: the detector finds louder speech itself."""
GAIN = 10 ** (30 / 20)
"""Gain for faint frames: with it, Silero detects speech at -80 dBFS as well as at -45, and none in
23 of 25 recordings of noise; the other two contain voices."""
LIKELY = 0.5
WINDOW, ENOUGH, PAUSE = 250, 25, 16
"""Frames: 0.8 s of speech in the last 8 s, and none in the last half second."""
NOTICE_INTERVAL = 600.0
"""Least seconds between two notices."""


class Faint:
    """Follows the frames of one source; runs in capture's thread."""

    def __init__(self, context: StageContext, load: Callable[[], SpeechDetector | None]) -> None:
        self._load = load
        self._clock = context.clock
        self._bus = context.bus
        self._turns = context.floor.turns
        self._detector: SpeechDetector | None = None
        self._recent: deque[bool] = deque(maxlen=WINDOW)
        self._told: float | None = None

    def load(self) -> None:
        """Load the detector, if there is one. Raises ModelError."""
        self._detector = self._load()

    def step(self, frame: Frame) -> None:
        """Take a frame that passed the wake gate."""
        if self._detector is None:
            return
        if self._turns.reply is not None:
            # The microphone works, and the reply's own echo must not count.
            self._recent.clear()
            return
        speech = False
        if QUIETEST < dbfs(frame.samples) < FAINT:
            louder = np.clip(frame.samples * np.float32(GAIN), -1.0, 1.0)
            speech = self._detector.probability(louder) >= LIKELY
        self._recent.append(speech)
        if sum(self._recent) < ENOUGH or any(list(self._recent)[-PAUSE:]) or self._turns:
            # A current turn may still be understood.
            return
        self._recent.clear()
        now = self._clock.now()
        if self._told is None or now - self._told >= NOTICE_INTERVAL:
            self._told = now
            self._bus.emit(ev.Notice(text=TOO_QUIET))
