"""What left the speaker, as the ears would hear it: 16 kHz, a steady stream on their time axis.

The session times that devices tell tremble by a few milliseconds, and a canceller takes each step
for another room. So the stream goes on by itself, is led after the devices' clocks by single
samples, and steps only where they say that it is far off.
"""

from __future__ import annotations

import math

import numpy as np

from edgevoice.audio import EAR_RATE, Samples
from edgevoice.protocols import AudioSink
from edgevoice.resample import resample

MARGIN = 160
"""Samples on both sides of a piece that its resampling needs: with 80 the seam is 104 dB down."""

STEADY = 0.001
"""Seconds by which the stream may be off, on average, without being led after."""

NEWEST = 0.05
"""The weight of the newest frame in that average."""

LOST = 0.02
"""Seconds by which the stream may be off before it steps to where it should be."""

INAUDIBLE = 1e-4
"""A speaker that puts out no sample above this, -80 dBFS, is silent."""


class Reference:
    """Reads a sink's past, forwards."""

    def __init__(self, sink: AudioSink) -> None:
        self._sink = sink
        # So many samples of the sink's last as long as so many of ours.
        shared = math.gcd(sink.rate, EAR_RATE)
        self._theirs, self._ours = sink.rate // shared, EAR_RATE // shared
        self._next: int | None = None
        self._off = 0.0

    def silent(self, time: float, seconds: float) -> bool:
        """Whether nothing left the speaker for so long from session time `time` on."""
        played = self._sink.reference(time, int(seconds * self._sink.rate))
        return len(played) == 0 or float(np.abs(played).max()) < INAUDIBLE

    def restart(self) -> None:
        """Take the next piece from exactly where it is asked for."""
        self._next = None

    def take(self, time: float, count: int) -> Samples:
        """float32 [count] at 16 kHz that left the speaker from about session time `time` on: what
        follows the piece taken before, if there was one."""
        wanted = round(time * EAR_RATE)
        if self._next is None or abs(wanted - self._next) > LOST * EAR_RATE:
            self._next, self._off = wanted, 0.0
        self._off += (wanted - self._next - self._off) * NEWEST
        if abs(self._off) > STEADY * EAR_RATE:
            step = 1 if self._off > 0 else -1
            self._next += step
            self._off -= step
        begin = self._next
        self._next += count
        # From a sample of theirs that falls on one of ours.
        first = (begin - MARGIN) // self._ours
        last = -((MARGIN + begin + count) // -self._ours)
        piece = self._sink.reference(first * self._ours / EAR_RATE, (last - first) * self._theirs)
        ours = resample(piece, self._sink.rate, EAR_RATE)
        at = begin - first * self._ours
        return ours[at : at + count]
