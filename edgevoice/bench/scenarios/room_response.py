"""What a room does to the sound on its way from the speaker to the microphone. Pure arithmetic."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from edgevoice.audio import Samples

DIRECT = 6.0
"""dB by which the direct sound is stronger than the whole echo tail behind it: a speaker and a
microphone within the same case."""

TAIL_BEGINS = 0.002
"""Seconds from the direct sound to the first reflection: some 70 cm of detour."""


class Acoustics(Struct, frozen=True, kw_only=True):
    """How the speaker is heard by the microphone.

    `delay` is the time in seconds from the one to the other. `level` is how loud it arrives, in dB
    relative to what was played, tail included. `tail` is the room's RT60, the seconds in which its
    echo fades by 60 dB; 0: none. `seed` tells one room of that kind from another.
    """

    delay: float = 0.1
    level: float = -20.0
    tail: float = 0.3
    seed: int = 1


def impulse_response(acoustics: Acoustics, rate: int) -> Samples:
    """float32 [n] at `rate` Hz: the direct sound at once, then noise that fades exponentially.

    Its energy is `level`; the delay is not in it.
    """
    length = max(1, round(acoustics.tail * rate))
    response = np.zeros(length)
    begin = round(TAIL_BEGINS * rate)
    if length > begin:
        times = np.arange(length - begin) / rate
        # 60 dB are a factor of 1000: exp(-6.9).
        fading = np.exp(-np.log(1000.0) * times / acoustics.tail)
        noise = np.random.default_rng(acoustics.seed).standard_normal(length - begin) * fading
        response[begin:] = noise * 10 ** (-DIRECT / 20) / np.sqrt(np.sum(noise**2))
    response[0] = 1.0
    gain = 10 ** (acoustics.level / 20) / np.sqrt(np.sum(response**2))
    return np.asarray(response * gain, dtype=np.float32)


class Convolver:
    """Convolves a stream with an impulse response, block by block, without any delay of its own.

    Uniformly partitioned overlap-save: one FFT of two blocks in, one out, and a multiplication for
    each block of the response.
    """

    def __init__(self, response: Samples, block: int) -> None:
        self.block = block
        parts = -(-len(response) // block)
        padded = np.zeros(parts * block, dtype=np.float32)
        padded[: len(response)] = response
        spectra = np.fft.rfft(padded.reshape(parts, block), 2 * block, axis=1)
        self._response: NDArray[np.complex64] = spectra.astype(np.complex64)
        # Each spectrum is written twice, so that the last ones always lie in a row.
        self._past = np.zeros((2 * parts, block + 1), dtype=np.complex64)
        self._products = np.zeros_like(self._response)
        self._at = 0
        self._quiet = parts
        self._window = np.zeros(2 * block, dtype=np.float32)
        self._silence = np.zeros(block, dtype=np.float32)

    def push(self, samples: Samples) -> Samples:
        """float32 [block] in, the same number out."""
        parts = len(self._response)
        self._quiet = 0 if samples.any() else self._quiet + 1
        if self._quiet > parts:
            return self._silence
        self._window[: self.block] = self._window[self.block :]
        self._window[self.block :] = samples
        self._at = (self._at - 1) % parts
        self._past[self._at] = self._past[self._at + parts] = np.fft.rfft(self._window)
        past = self._past[self._at : self._at + parts]
        np.multiply(self._response, past, out=self._products)
        whole = np.fft.irfft(self._products.sum(axis=0))
        return np.asarray(whole[self.block :], dtype=np.float32)
