"""Inaudible noise that keeps a speaker from muting itself, so that the first word is not lost.

Some speakers mute themselves in digital silence: receivers and monitors on HDMI, Bluetooth
speakers, USB amplifiers. They start at the first sample that is not zero, and lose the sound until
then. A sound server does not prevent this: a stream of silence counts as playing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NOISE_AMPLITUDE = 2.0**-14
"""The largest sample of the noise: two steps of 16 bits, -84 dBFS."""

SPEAKER_MUTES_AFTER = 2.0
"""Seconds of silence after which a speaker may have muted itself."""


class KeepaliveNoise:
    """The noise of one stream; safe in a device's callback, because it allocates no samples.

    Before the first sound, and after SPEAKER_MUTES_AFTER seconds without sound, `lead` seconds of
    noise are played ahead of it. With `always`, every silence is noise.
    """

    def __init__(self, rate: int, lead: float, always: bool) -> None:
        noise = np.random.default_rng(0).uniform(-NOISE_AMPLITUDE, NOISE_AMPLITUDE, (rate, 1))
        self._noise: NDArray[np.float32] = noise.astype(np.float32)
        self._lead = int(lead * rate)
        self._lead_left = self._lead
        self._mute_samples = int(SPEAKER_MUTES_AFTER * rate)
        self._silent = self._mute_samples
        self._always = always

    def ahead(self, frames: int, waiting: bool) -> bool:
        """Whether the next `frames` must be noise, even if sound is `waiting`."""
        if not waiting:
            self._lead_left = self._lead
        if not self._lead or not waiting or self._silent < self._mute_samples:
            return False
        self._lead_left -= frames
        if self._lead_left > -frames:
            return True
        self._silent, self._lead_left = 0, self._lead
        return False

    def fill(self, out: NDArray[np.float32], sound: int) -> None:
        """Fill what follows the first `sound` frames of float32 [n, channels] with noise."""
        self._silent = 0 if sound else min(self._silent + len(out), self._mute_samples)
        if self._always or (self._lead and self._lead_left < self._lead):
            out[sound:] = self._noise[: len(out) - sound]
