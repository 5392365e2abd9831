"""What a speaker that sleeps in silence is given besides sound, so that it hears the first word.

Some mute themselves in digital silence: receivers and monitors on HDMI, Bluetooth speakers, USB
amplifiers that save power. They wake at the first sample that is not zero, and miss what comes in
the meantime. The sound server does not see to that: for it, a stream that plays silence plays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HISS = 2.0**-14
"""The loudest sample of what is inaudible: two steps of 16 bits, -84 dBFS."""

ASLEEP = 2.0
"""Seconds of silence after which a speaker may have muted itself."""


class KeepaliveNoise:
    """One stream's own; fit for a device's callback, it allocates no samples.

    Before the first sound, and after ASLEEP seconds without one, `lead` seconds of hiss go out
    ahead of it; with `always` there is hiss in every silence.
    """

    def __init__(self, rate: int, lead: float, always: bool) -> None:
        noise = np.random.default_rng(0).uniform(-HISS, HISS, (rate, 1))
        self._hiss: NDArray[np.float32] = noise.astype(np.float32)
        self._lead = int(lead * rate)
        self._left = self._lead
        self._patience = int(ASLEEP * rate)
        self._silent = self._patience
        self._always = always

    def ahead(self, frames: int, waiting: bool) -> bool:
        """Whether the next `frames` are the speaker's, to wake up, and not to be taken by what is
        `waiting`."""
        if not waiting:
            self._left = self._lead
        if not self._lead or not waiting or self._silent < self._patience:
            return False
        self._left -= frames
        if self._left > -frames:
            return True
        self._silent, self._left = 0, self._lead
        return False

    def fill(self, out: NDArray[np.float32], sound: int) -> None:
        """Make what follows the first `sound` frames of float32 [n, channels] audible enough."""
        self._silent = 0 if sound else min(self._silent + len(out), self._patience)
        if self._always or (self._lead and self._left < self._lead):
            out[sound:] = self._hiss[: len(out) - sound]
