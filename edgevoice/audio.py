"""The types of sound in the pipeline.

All sound between the devices is mono float32 in [-1, 1]. Capture and transcription use 16 kHz, the
rate of Silero VAD and Whisper. Synthesis uses the rate of its model.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

CAPTURE_RATE = 16_000
"""Sample rate of captured sound, in Hz."""

FRAME_SAMPLES = 512
"""Samples in a frame: 32 ms at 16 kHz, the only window that Silero VAD accepts since v5."""

AUDIBLE_DBFS = -50.0
"""Level in dBFS above which a sample counts as audible, for the response time."""


@dataclass(frozen=True, slots=True)
class Frame:
    """float32 [FRAME_SAMPLES] at CAPTURE_RATE; `index` is the number of the first sample."""

    samples: Samples
    index: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """The sound of a turn, float32 [n] at CAPTURE_RATE, with pre-roll and tail.

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
        return len(self.samples) / CAPTURE_RATE


@dataclass(frozen=True, slots=True)
class Mark:
    """A word's time: characters [begin, end) of the text are samples [start, stop).

    Samples are counted from the start of the piece with this mark. They may be outside of it, in
    other pieces of the same sound.
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
    """A piece of sound to play, float32 [n] at `rate` Hz.

    `left` is the number of samples that are known to follow in other pieces of the same sound.
    `marks` are the times of words, None if unknown; each word has its mark in one of the pieces.
    """

    samples: Samples
    rate: int
    left: int = 0
    marks: tuple[Mark, ...] | None = None

    def marked(self, marks: Iterable[Mark], moved: int = 0) -> Audio:
        """The same sound with these marks, each counted from `moved` samples earlier."""
        shifted = tuple(mark.moved(moved) for mark in marks)
        return Audio(self.samples, self.rate, self.left, shifted)

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


UNSPOKEN = Audio(np.zeros(160, dtype=np.float32), CAPTURE_RATE)
"""What is played of a clause that is only shown: 10 ms of silence."""


def dbfs(samples: Samples) -> float:
    """Root-mean-square level of float32 [n] in dB below full scale; -120 for digital silence."""
    if len(samples) == 0:
        return -120.0
    # Each frame is measured several times: this takes a third of the time of np.mean.
    wide = samples.astype(np.float64)
    power = float(np.dot(wide, wide)) / len(wide)
    return max(-120.0, 10.0 * math.log10(power + 1e-12))


def first_audible(samples: Samples, threshold: float = AUDIBLE_DBFS) -> int:
    """Index of the first sample above `threshold` dBFS in float32 [n]; n if there is none."""
    loud = np.flatnonzero(np.abs(samples) >= 10.0 ** (threshold / 20.0))
    return int(loud[0]) if len(loud) else len(samples)
