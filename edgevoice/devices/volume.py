"""The factor by which sound is scaled on its way out; it moves in ramps, so that nothing clicks."""

from __future__ import annotations

import math

import numpy as np

from edgevoice.audio import Samples

FADE = 0.01
"""Seconds from full volume to silence, or back: short for an ear, long enough not to click."""

DUCK = 0.03
"""Seconds that full volume would take to silence where it only becomes quieter or louder."""

DUCKED = 0.25
"""The factor of a speaker that makes way for a voice, unless it is told another: -12 dB."""


class Volume:
    """One stream's volume; what it scales is no longer than `longest` samples at a time.

    Fit for a device's callback: it allocates no samples.
    """

    def __init__(self, rate: int, longest: int) -> None:
        self.now = 1.0
        self._rate = rate
        self._steps = np.arange(1, longest + 1, dtype=np.float32)
        self._factors = np.empty(longest, dtype=np.float32)

    def way(self, target: float, seconds: float) -> int:
        """How many samples it takes to reach `target`, at `seconds` for the full range."""
        return math.ceil(abs(target - self.now) * seconds * self._rate - 1e-6)

    def apply(self, block: Samples, target: float, seconds: float) -> None:
        """Scale float32 [n] in place, on the way to `target` at `seconds` for the full range."""
        way = min(len(block), self.way(target, seconds))
        if way:
            factors = self._factors[:way]
            step = (1.0 if target > self.now else -1.0) / (seconds * self._rate)
            np.multiply(self._steps[:way], step, out=factors)
            np.add(factors, self.now, out=factors)
            limit = np.minimum if target > self.now else np.maximum
            limit(factors, target, out=factors)
            block[:way] *= factors
            self.now = float(factors[-1])
        if way < len(block):
            self.now = target
            if target != 1.0:
                block[way:] *= target
