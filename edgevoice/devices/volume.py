"""Volume with ramps, so that changes do not click."""

from __future__ import annotations

import math

import numpy as np

from edgevoice.audio import Samples

FADE_RAMP = 0.01
"""Seconds from full volume to silence or back: short, but long enough not to click."""

DUCK_RAMP = 0.03
"""Seconds from full volume to silence at the slope used for ducking."""

DUCKED_LEVEL = 0.25
"""Default volume factor while ducked: -12 dB."""


class Volume:
    """One stream's volume, for blocks of at most `max_block` samples.

    Safe in a device's callback: it allocates no samples.
    """

    def __init__(self, rate: int, max_block: int) -> None:
        self.now = 1.0
        self._rate = rate
        self._steps = np.arange(1, max_block + 1, dtype=np.float32)
        self._factors = np.empty(max_block, dtype=np.float32)

    def ramp_length(self, target: float, seconds: float) -> int:
        """Samples until `target` is reached, at `seconds` for the full range."""
        return math.ceil(abs(target - self.now) * seconds * self._rate - 1e-6)

    def apply(self, block: Samples, target: float, seconds: float) -> None:
        """Scale float32 [n] in place, moving to `target` at `seconds` for the full range."""
        count = min(len(block), self.ramp_length(target, seconds))
        if count:
            factors = self._factors[:count]
            step = (1.0 if target > self.now else -1.0) / (seconds * self._rate)
            np.multiply(self._steps[:count], step, out=factors)
            np.add(factors, self.now, out=factors)
            limit = np.minimum if target > self.now else np.maximum
            limit(factors, target, out=factors)
            block[:count] *= factors
            self.now = float(factors[-1])
        if count < len(block):
            self.now = target
            if target != 1.0:
                block[count:] *= target
