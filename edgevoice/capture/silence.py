"""How still it is where the microphone stands, when nobody speaks and nothing plays. Pure."""

from __future__ import annotations

from edgevoice.audio import Samples, dbfs

RISE = 1.0
"""dB a second by which it may have become louder: slower than a sentence is long, and within a
minute of a fan that was switched on."""

STILLEST = -90.0
"""dBFS; what is stiller than 16 bits can tell is as still as that."""


class SilenceMonitor:
    """Follows one microphone, frame by frame."""

    def __init__(self) -> None:
        self.level = 0.0
        """The level in dBFS of the softest frames of late."""

    def push(self, samples: Samples, seconds: float) -> None:
        """Take float32 [n] that last so long."""
        self.level = max(STILLEST, min(self.level + RISE * seconds, dbfs(samples)))
