"""Whisper's log-mel spectrogram: 80 bands, one column every 10 ms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgevoice.audio import CAPTURE_RATE, Samples

MEL_WINDOW = 400
"""Samples in one window: 25 ms at 16 kHz."""
MEL_HOP = 160
"""Samples from one column to the next: 10 ms."""
BANDS = 80

_LINEAR_HZ = 200.0 / 3.0
"""Hz to a mel on Slaney's scale, up to 1000 Hz; above it every 27 mels are a factor of 6.4."""
_KNEE_MEL = 15.0
_LOG_STEP = np.log(6.4) / 27.0

_RANGE = 8.0
"""Decades below the loudest value at which values are clipped."""


def log_mel(samples: Samples) -> NDArray[np.float32]:
    """Log-mel spectrogram, float32 [80, n // 160], of float32 [n] at 16 kHz.

    Values are at most about 1.5, and span 2.0 from the loudest to the quietest. `n` must be at
    least 400.
    """
    sound = np.pad(samples.astype(np.float64), MEL_WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(sound, MEL_WINDOW)[::MEL_HOP]
    power = np.abs(np.fft.rfft(windows[: len(samples) // MEL_HOP] * _HANN, axis=-1)) ** 2
    bands = np.log10(np.maximum(_BANK @ power.T, 1e-10))
    clipped: NDArray[np.float32] = np.maximum(bands, bands.max() - _RANGE).astype(np.float32)
    return (clipped + np.float32(4.0)) / np.float32(4.0)


def _to_hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    above = 1000.0 * np.exp(_LOG_STEP * (mels - _KNEE_MEL))
    return np.where(mels < _KNEE_MEL, mels * _LINEAR_HZ, above)


def _bank() -> NDArray[np.float64]:
    """Triangular filters over the spectrum's bins, float64 [80, 201], each of area one."""
    top = _KNEE_MEL + np.log(CAPTURE_RATE / 2 / 1000.0) / _LOG_STEP
    edges = _to_hz(np.linspace(0.0, top, BANDS + 2))
    bins = np.linspace(0.0, CAPTURE_RATE / 2, MEL_WINDOW // 2 + 1)
    low, middle, high = (edges[n : n + BANDS, None] for n in range(3))
    rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
    triangles: NDArray[np.float64] = np.clip(np.minimum(rising, falling), 0.0, None)
    return triangles * (2.0 / (high - low))


_HANN = np.hanning(MEL_WINDOW + 1)[:-1]
_BANK = _bank()
