"""The newest frames: an utterance begins with what was said before it was detected."""

from __future__ import annotations

from collections import deque

from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Frame
from edgevoice.capture.wake_gate import WAKE_FRAMES
from edgevoice.settings import TurnSettings
from edgevoice.turn_taking.endpointing import GAPPY
from edgevoice.turn_taking.interruption import thresholds

ONSET_FRAMES = 32
"""Frames, one second, in which a voice may have begun before it starts a turn."""


class RecentFrames:
    """Keeps as many frames as an utterance, or a wake word, may have begun before."""

    def __init__(self, settings: TurnSettings) -> None:
        frame_ms = 1000 * FRAME_SAMPLES / CAPTURE_RATE
        pre_roll = -(-settings.pre_roll_ms * CAPTURE_RATE // (1000 * FRAME_SAMPLES))
        notice_ms = GAPPY * thresholds(settings).notice_ms
        unsure = int(max(settings.min_speech_ms, notice_ms) / frame_ms) + 2
        self.pre_roll = pre_roll * FRAME_SAMPLES
        """Samples before the first voiced one that belong to an utterance."""
        self._frames: deque[Frame] = deque(
            maxlen=max(pre_roll + unsure + ONSET_FRAMES, WAKE_FRAMES)
        )

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, frame: Frame) -> None:
        """Add the newest frame."""
        self._frames.append(frame)

    def holds(self, frame: Frame) -> bool:
        """Whether the frame, or one after it, is there already."""
        return bool(self._frames) and self._frames[-1].index >= frame.index

    def between(self, first: int, end: int) -> list[Frame]:
        """The frames that begin in [`first`, `end`), as stream indices."""
        return [frame for frame in self._frames if first <= frame.index < end]

    def since(self, first: int) -> list[Frame]:
        """The frames that begin at stream index `first` or later."""
        return [frame for frame in self._frames if frame.index >= first]

    def clear(self) -> None:
        """Drop all."""
        self._frames.clear()
