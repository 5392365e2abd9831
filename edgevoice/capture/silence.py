"""The noise level of the room, from the quietest frames. Pure."""

from __future__ import annotations

from edgevoice.audio import Samples, dbfs

RISE = 1.0
"""Rise of the level in dB a second: slow within a sentence, and fast enough to follow a fan within
a minute."""

STILLEST = -90.0
"""Lowest level in dBFS, about the resolution of 16 bits."""


class SilenceMonitor:
    """Follows one microphone, frame by frame."""

    def __init__(self) -> None:
        self.level = 0.0
        """Level of the quietest recent frames, in dBFS."""

    def push(self, samples: Samples, seconds: float) -> None:
        """Take float32 [n] that last `seconds`."""
        self.level = max(STILLEST, min(self.level + RISE * seconds, dbfs(samples)))
