"""Finds the parts of a recording that contain speech."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Samples
from edgevoice.protocols import SpeechDetector

LIKELY, PERHAPS = 0.5, 0.35
"""Speech probability of a frame, and of the frames before and after it."""
LEAST_SAMPLES = int(0.096 * CAPTURE_RATE)
"""Least samples of speech in a part: less is a click or a knock."""
PAUSE = int(2.0 * CAPTURE_RATE)
"""Longest pause within a part, in samples."""
SPEECH_MARGIN = int(0.3 * CAPTURE_RATE)
"""Samples kept before and after the speech, for a soft first or last sound."""
USUAL_PEAK, MOST_GAIN = 0.5, 100.0
"""Normalized peak for the detector, which misses very quiet speech, and the highest gain: 40 dB."""
PEAK_SHARE = 99.9
"""Percentile that counts as the peak: a click is louder than any speech."""


@dataclass(frozen=True, slots=True)
class SpeechSpan:
    """Samples [start, end) of a recording, and `voiced`, their seconds of speech."""

    start: int
    end: int
    voiced: float


def stretches(samples: Samples, detector: SpeechDetector) -> list[SpeechSpan]:
    """The parts of float32 [n] at 16 kHz that contain speech, in order."""
    detector.reset()
    gain = _gain(samples)
    frames = -(-len(samples) // FRAME_SAMPLES)
    found: list[tuple[int, int, int]] = []
    for start in range(0, frames * FRAME_SAMPLES, FRAME_SAMPLES):
        frame = np.zeros(FRAME_SAMPLES, dtype=np.float32)
        part = samples[start : start + FRAME_SAMPLES]
        frame[: len(part)] = np.clip(part * gain, -1.0, 1.0)
        probability = detector.probability(frame)
        end = start + FRAME_SAMPLES
        speech = FRAME_SAMPLES if probability >= LIKELY else 0
        if probability < PERHAPS:
            continue
        if found and start - found[-1][1] <= PAUSE:
            found[-1] = found[-1][0], end, found[-1][2] + speech
        else:
            found.append((start, end, speech))
    return [
        SpeechSpan(
            max(0, start - SPEECH_MARGIN),
            min(len(samples), end + SPEECH_MARGIN),
            speech / CAPTURE_RATE,
        )
        for start, end, speech in found
        if speech >= LEAST_SAMPLES
    ]


def _gain(samples: Samples) -> float:
    if not len(samples):
        return 1.0
    peak = float(np.percentile(np.abs(samples), PEAK_SHARE))
    return min(MOST_GAIN, max(1.0, USUAL_PEAK / peak)) if peak else 1.0
