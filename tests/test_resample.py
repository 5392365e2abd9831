"""Sample rates meet without loss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgevoice.audio import Samples
from edgevoice.resample import Resampler, resample


def tone(rate: int, seconds: float = 0.5, hertz: float = 440.0) -> Samples:
    return np.sin(np.arange(int(rate * seconds)) / rate * 2 * np.pi * hertz).astype(np.float32) / 2


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 96_000])
def test_a_tone_stays_that_tone(rate: int) -> None:
    """Length and shape at the new rate are those of the same tone made at that rate."""
    converted = resample(tone(rate), rate, 16_000)
    expected = tone(16_000)
    assert converted.dtype == np.float32
    assert abs(len(converted) - len(expected)) <= 2
    inner = slice(500, 7000)
    np.testing.assert_allclose(converted[inner], expected[inner], atol=2e-3)


def test_the_same_rate_and_an_empty_clip_are_left_alone() -> None:
    """Nothing is filtered that need not be."""
    samples = tone(16_000)
    assert resample(samples, 16_000, 16_000) is samples
    assert len(resample(samples[:0], 48_000, 16_000)) == 0


@settings(max_examples=25)
@given(st.lists(st.integers(1, 3000), min_size=1, max_size=12), st.sampled_from([16_000, 44_100]))
def test_blocks_cut_anywhere_give_the_same_sound(cuts: list[int], rate: int) -> None:
    """A stream in blocks of any size equals the stream in one block."""
    samples = tone(rate, 0.2)
    whole, stream = Resampler(rate, 16_000), Resampler(rate, 16_000)
    expected = np.concatenate([whole.push(samples), whole.flush()])
    parts, start = [], 0
    while start < len(samples):
        size = cuts[len(parts) % len(cuts)]
        parts.append(stream.push(samples[start : start + size]))
        start += size
    np.testing.assert_allclose(np.concatenate([*parts, stream.flush()]), expected, atol=1e-6)


def test_channels_become_one() -> None:
    """Stereo, as columns or interleaved, is averaged; one channel stays what it was."""
    left, right = tone(16_000), tone(16_000, hertz=880.0)
    both = np.stack([left, right], axis=1)
    expected = (left + right) / 2
    np.testing.assert_allclose(Resampler(16_000, 16_000, 2).push(both), expected, atol=1e-6)
    np.testing.assert_allclose(Resampler(16_000, 16_000, 2).push(both.ravel()), expected, atol=1e-6)
    np.testing.assert_array_equal(Resampler(16_000, 16_000, 1).push(left[:, None]), left)
