"""The effect of a room on sound on its way from the speaker to the microphone."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from edgevoice.audio import Samples

DIRECT = 6.0
"""dB by which the direct sound exceeds the whole reverberation: speaker and microphone in one
case."""

TAIL_BEGINS = 0.002
"""Seconds from the direct sound to the first reflection: a detour of about 70 cm."""


class Acoustics(Struct, frozen=True, kw_only=True):
    """How the microphone hears the speaker."""

    delay: float = 0.1
    """Seconds from the speaker to the microphone."""
    level: float = -20.0
    """Gain in dB, reverberation included."""
    tail: float = 0.3
    """RT60: seconds in which the reverberation fades by 60 dB; 0: none."""
    seed: int = 1
    """Selects one of many such rooms."""


def impulse_response(acoustics: Acoustics, rate: int) -> Samples:
    """float32 [n] at `rate` Hz: the direct sound, then noise that fades exponentially.

    Its energy is `level`. The delay is not part of it.
    """
    response = np.zeros(max(1, round(acoustics.tail * rate)))
    begin = round(TAIL_BEGINS * rate)
    if len(response) > begin:
        times = np.arange(len(response) - begin) / rate
        # 60 dB are a factor of 1000.
        fading = np.exp(-np.log(1000.0) * times / acoustics.tail)
        noise = np.random.default_rng(acoustics.seed).standard_normal(len(times)) * fading
        response[begin:] = noise * 10 ** (-DIRECT / 20) / np.sqrt(np.sum(noise**2))
    response[0] = 1.0
    gain = 10 ** (acoustics.level / 20) / np.sqrt(np.sum(response**2))
    return np.asarray(response * gain, dtype=np.float32)


class Convolver:
    """Convolves a stream with an impulse response, block by block, without delay.

    Uniformly partitioned overlap-save: a response of two seconds in one FFT for each block of
    10 ms would take half a core.
    """

    def __init__(self, response: Samples, block: int) -> None:
        parts = -(-len(response) // block)
        padded = np.pad(response, (0, parts * block - len(response))).reshape(parts, block)
        self._response = np.fft.rfft(padded, 2 * block, axis=1).astype(np.complex64)
        # Each spectrum is stored twice, so that the last ones are always adjacent.
        self._past = np.zeros((2 * parts, block + 1), dtype=np.complex64)
        self._at = 0
        self._quiet = parts
        self._last = self._silence = np.zeros(block, dtype=np.float32)

    def push(self, samples: Samples) -> Samples:
        """float32 [block] in, float32 [block] out."""
        parts = len(self._response)
        self._quiet = 0 if samples.any() else self._quiet + 1
        if self._quiet > parts:
            return self._silence
        self._at = (self._at - 1) % parts
        spectrum = np.fft.rfft(np.concatenate([self._last, samples]))
        self._past[self._at] = self._past[self._at + parts] = spectrum
        self._last = samples
        products = self._response * self._past[self._at : self._at + parts]
        whole = np.fft.irfft(products.sum(axis=0))
        return np.asarray(whole[len(samples) :], dtype=np.float32)
