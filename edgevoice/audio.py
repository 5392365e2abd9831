"""The shapes sound takes on its way through the pipeline.

Everything between the devices is mono float32 in [-1, 1]. The ears work at 16 kHz, because Silero
VAD and Whisper do; the voice works at whatever rate its model was trained on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

EAR_RATE = 16_000
"""Sample rate of everything heard, in Hz."""

FRAME_SAMPLES = 512
"""Samples in one frame: 32 ms at 16 kHz, the only window Silero VAD v5 and later take."""

AUDIBLE_DBFS = -50.0
"""A sample louder than this counts as audible when the gap of a turn is measured."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`FRAME_SAMPLES` samples at `EAR_RATE`, float32 [512]; `index` is the first one's number."""

    samples: Samples
    index: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """What the user said in one go, float32 [n] at `EAR_RATE`, pre-roll and tail included.

    `start` is the stream index of the first sample, `voiced_end` that of the last voiced one.
    """

    samples: Samples
    start: int
    voiced_end: int

    @property
    def end(self) -> int:
        """Stream index after the last sample."""
        return self.start + len(self.samples)

    @property
    def seconds(self) -> float:
        return len(self.samples) / EAR_RATE


@dataclass(frozen=True, slots=True)
class Mark:
    """A word and its sound: characters [begin, end) of the text are heard in samples [start, stop).

    Samples are counted from the first of the piece that carries the mark, and may lie before it or
    behind it, in other pieces of the same sound.
    """

    begin: int
    end: int
    start: int
    stop: int

    def moved(self, samples: int) -> Mark:
        """The same mark, counted from `samples` samples earlier."""
        return Mark(self.begin, self.end, self.start + samples, self.stop + samples)


@dataclass(frozen=True, slots=True)
class Audio:
    """A piece of sound to be played, float32 [n] at `rate` Hz.

    `left` is how many more samples are known to follow in other pieces of the same sound. `marks`
    tell when words are heard, and is None where that is not known; each word's mark comes with one
    of the pieces.
    """

    samples: Samples
    rate: int
    left: int = 0
    marks: tuple[Mark, ...] | None = None

    def marked(self, marks: Iterable[Mark], moved: int = 0) -> Audio:
        """The same sound with these marks, each counted from `moved` samples earlier."""
        there = tuple(mark.moved(moved) for mark in marks)
        return Audio(self.samples, self.rate, self.left, there)

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def dbfs(samples: Samples) -> float:
    """Root-mean-square level of float32 [n] in dB below full scale; -120 for digital silence."""
    if len(samples) == 0:
        return -120.0
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return max(-120.0, 10.0 * float(np.log10(power + 1e-12)))


def first_audible(samples: Samples, threshold: float = AUDIBLE_DBFS) -> int:
    """Index of the first sample above `threshold` dBFS in float32 [n]; n when there is none."""
    loud = np.flatnonzero(np.abs(samples) >= 10.0 ** (threshold / 20.0))
    return int(loud[0]) if len(loud) else len(samples)
