"""Splits a recording into pieces for the recognizer, at the quietest points."""

from __future__ import annotations

import numpy as np

from edgevoice.audio import CAPTURE_RATE, Samples

LONGEST_PIECE, SHORTEST_PIECE = 28.0, 12.0
"""Seconds of a piece: Whisper takes at most 30 s at once."""
LEVEL_STEP = CAPTURE_RATE // 50
QUIET_STEPS = 15
"""Steps of 20 ms that the level is averaged over: a pause between words, not a stop in one."""


def pieces(
    samples: Samples, longest: float = LONGEST_PIECE, shortest: float = SHORTEST_PIECE
) -> list[tuple[int, int]]:
    """[start, end) of consecutive pieces of float32 [n] at 16 kHz that together are all of it.

    None is longer than `longest` seconds, none but the last shorter than `shortest`.
    """
    most, least = int(longest * CAPTURE_RATE), int(shortest * CAPTURE_RATE)
    cut = 0
    found = []
    while len(samples) - cut > most:
        end = cut + least + _quietest(samples[cut + least : cut + most])
        found.append((cut, end))
        cut = end
    found.append((cut, len(samples)))
    return found


def _quietest(samples: Samples) -> int:
    """Index of the middle of the quietest stretch; of several alike, the last."""
    steps = len(samples) // LEVEL_STEP
    power = np.square(samples[: steps * LEVEL_STEP].reshape(steps, LEVEL_STEP)).mean(axis=1)
    smooth = np.convolve(power, np.ones(QUIET_STEPS), "valid")
    first = len(smooth) - 1 - int(np.argmin(smooth[::-1]))
    return (first + QUIET_STEPS // 2) * LEVEL_STEP
