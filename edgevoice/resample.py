"""Convert between sample rates."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from edgevoice.audio import Samples


def resample(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """float32 [n] at `from_rate` Hz as float32 [about n · to_rate / from_rate] at `to_rate` Hz."""
    if from_rate == to_rate or len(samples) == 0:
        return samples
    return np.asarray(soxr.resample(samples, from_rate, to_rate), dtype=np.float32)


class Resampler:
    """Converts a stream of blocks with `channels` channels to mono at another rate, in Hz.

    The output lags by the filter's delay of a few milliseconds. The result does not depend on how
    the input is divided into blocks.
    """

    def __init__(self, from_rate: int, to_rate: int, channels: int = 1) -> None:
        self.channels = channels
        self._stream: soxr.ResampleStream | None = None
        if from_rate != to_rate:
            self._stream = soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32")

    def push(self, block: NDArray[np.float32]) -> Samples:
        """float32 [n] or [n, channels] in, float32 [m] out; m may be 0 while the filter fills."""
        return self._through(self._mono(block), last=False)

    def flush(self) -> Samples:
        """The last samples, held back by the filter; ends the stream."""
        return self._through(np.zeros(0, dtype=np.float32), last=True)

    def _through(self, mono: Samples, last: bool) -> Samples:
        if self._stream is None:
            return mono
        return np.asarray(self._stream.resample_chunk(mono, last=last), dtype=np.float32)

    def _mono(self, block: NDArray[np.float32]) -> Samples:
        if block.ndim == 1 and self.channels > 1:
            block = block.reshape(-1, self.channels)
        if block.ndim == 1:
            return np.ascontiguousarray(block, dtype=np.float32)
        if block.shape[1] == 1:
            return np.ascontiguousarray(block[:, 0], dtype=np.float32)
        return np.asarray(block.mean(axis=1), dtype=np.float32)
