"""Long recordings are cut where it is quietest."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.transcription.chunking import pieces


def talk(*stretches: tuple[float, float]) -> Samples:
    """Noise in stretches of (seconds, loudness)."""
    rng = np.random.default_rng(3)
    parts = [rng.normal(0, 1, int(s * CAPTURE_RATE)) * loudness for s, loudness in stretches]
    return np.concatenate(parts).astype(np.float32)


def test_a_short_recording_is_one_piece() -> None:
    """Up to the longest piece nothing is cut, not even where it is quiet."""
    samples = talk((10, 0.1), (5, 0.0), (10, 0.1))
    assert pieces(samples, 28, 12) == [(0, len(samples))]


def test_the_cut_is_in_the_pause() -> None:
    """A pause within reach is where the first piece ends."""
    (_, cut), _ = pieces(talk((20, 0.1), (0.6, 0.001), (20, 0.1)), 28, 12)
    assert 20.0 < cut / CAPTURE_RATE < 20.6


@pytest.mark.parametrize("seconds", [0.0, 0.01, 28.0, 28.01, 61.3, 200.0])
def test_pieces_are_consecutive_within_their_limits_and_lose_nothing(seconds: float) -> None:
    """Whatever the length, every sample is in exactly one piece of an allowed length."""
    samples = talk((seconds, 0.1))
    found = pieces(samples, 28, 12)
    assert found[0][0] == 0
    assert found[-1][1] == len(samples)
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(found))
    lengths = [(end - start) / CAPTURE_RATE for start, end in found]
    assert max(lengths) <= 28
    assert all(length >= 12 for length in lengths[:-1])
