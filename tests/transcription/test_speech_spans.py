"""Where in a recording somebody speaks."""

from __future__ import annotations

import numpy as np
import pytest

from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Samples
from edgevoice.transcription.speech_spans import SPEECH_MARGIN, stretches


class Loudness:
    """A speech detector that takes everything louder than a threshold for speech."""

    def __init__(self) -> None:
        self.resets = 0

    def probability(self, samples: Samples) -> float:
        assert samples.shape == (FRAME_SAMPLES,)
        return float(np.abs(samples).max() > 0.1)

    def reset(self) -> None:
        self.resets += 1


def recording(*parts: tuple[float, float]) -> Samples:
    """A level for so many seconds, then another one; float32 [n] at 16 kHz."""
    return np.concatenate(
        [np.full(int(seconds * CAPTURE_RATE), level, dtype=np.float32) for level, seconds in parts]
    )


def test_what_lies_far_apart_is_read_apart_and_silence_is_not_read() -> None:
    """After forty seconds of nothing, the speech begins where it begins."""
    found = stretches(recording((0, 40), (0.5, 3), (0, 9), (0.5, 1), (0, 5)), Loudness())
    begun = [stretch.start / CAPTURE_RATE for stretch in found]
    ended = [stretch.end / CAPTURE_RATE for stretch in found]
    assert begun == pytest.approx([39.7, 51.7], abs=0.04)
    assert ended == pytest.approx([43.3, 53.3], abs=0.04)
    assert [stretch.voiced for stretch in found] == pytest.approx([3, 1], abs=0.07)


def test_a_pause_within_what_is_said_stays_in_it() -> None:
    """The recognizer hears a sentence better as a whole."""
    [found] = stretches(recording((0.5, 3), (0, 1.5), (0.5, 3)), Loudness())
    assert (found.start, found.end) == (0, int(7.5 * CAPTURE_RATE))


def test_nobody_speaks_in_silence_clicks_and_nothing() -> None:
    """A sound of a few hundredths of a second is no speech."""
    click = recording((0, 2), (0.5, 0.03), (0, 2))
    for samples in (recording((0, 5)), click, recording((0, 0))):
        assert stretches(samples, Loudness()) == []


@pytest.mark.parametrize("level", [0.5, 0.05, 0.005])
def test_very_quiet_speech_is_found(level: float) -> None:
    """The detector gets it as loud as speech usually is, whatever the recorder was set to."""
    found = stretches(recording((0, 5), (level, 3), (0, 5)), Loudness())
    assert [stretch.start for stretch in found] == pytest.approx(
        [5 * CAPTURE_RATE - SPEECH_MARGIN], abs=FRAME_SAMPLES
    )


def test_a_click_does_not_make_everything_else_quiet() -> None:
    """What is loud for a moment says nothing of how loud the speech is."""
    [found] = stretches(recording((0, 5), (0.01, 3), (0, 5), (1.0, 0.0005), (0, 1)), Loudness())
    assert found.voiced == pytest.approx(3, abs=0.1)


def test_each_recording_is_another_one() -> None:
    """What the detector remembers of the last file does not count for the next."""
    detector = Loudness()
    for _ in range(2):
        stretches(recording((0.5, 1)), detector)
    assert detector.resets == 2
