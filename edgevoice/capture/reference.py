"""The reference signal for echo cancellation: the played audio at 16 kHz, in the microphone's time.

Device times jitter by a few milliseconds, and a canceller takes each jump for another room. So the
stream runs on its own, follows the devices' clocks by single samples, and jumps only if it is far
off.
"""

from __future__ import annotations

import math

import numpy as np

from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.player import Player
from edgevoice.resample import resample

RESAMPLING_MARGIN = 160
"""Extra samples on both sides of a resampled piece: with 80 the seam is at -104 dB."""

STEADY = 0.001
"""Mean error in seconds below which the stream is not corrected."""

NEWEST_FRAME_WEIGHT = 0.05
"""Weight of the newest frame in that mean."""

LOST = 0.02
"""Error in seconds above which the stream jumps to the right position."""

INAUDIBLE = 1e-4
"""Peak below which the speaker is silent: -80 dBFS."""


class Reference:
    """Reads the played audio of a sink in order."""

    def __init__(self, sink: Player) -> None:
        self._sink = sink
        # This many samples of the sink last as long as this many at 16 kHz.
        shared = math.gcd(sink.rate, CAPTURE_RATE)
        self._theirs, self._ours = sink.rate // shared, CAPTURE_RATE // shared
        self._next: int | None = None
        self._off = 0.0

    def silent(self, time: float, seconds: float) -> bool:
        """Whether the speaker was silent for `seconds` from session time `time` on."""
        played = self._sink.reference(time, int(seconds * self._sink.rate))
        return len(played) == 0 or float(np.abs(played).max()) < INAUDIBLE

    def restart(self) -> None:
        """Let the next `take` start exactly at its time."""
        self._next = None

    def take(self, time: float, count: int) -> Samples:
        """float32 [count] at 16 kHz, played from about session time `time` on. It continues the
        piece before, if there was one."""
        wanted = round(time * CAPTURE_RATE)
        if self._next is None or abs(wanted - self._next) > LOST * CAPTURE_RATE:
            self._next, self._off = wanted, 0.0
        self._off += (wanted - self._next - self._off) * NEWEST_FRAME_WEIGHT
        if abs(self._off) > STEADY * CAPTURE_RATE:
            step = 1 if self._off > 0 else -1
            self._next += step
            self._off -= step
        begin = self._next
        self._next += count
        # Start at a sample of the sink that coincides with one at 16 kHz.
        first = (begin - RESAMPLING_MARGIN) // self._ours
        last = -((RESAMPLING_MARGIN + begin + count) // -self._ours)
        piece = self._sink.reference(
            first * self._ours / CAPTURE_RATE, (last - first) * self._theirs
        )
        ours = resample(piece, self._sink.rate, CAPTURE_RATE)
        at = begin - first * self._ours
        return ours[at : at + count]
