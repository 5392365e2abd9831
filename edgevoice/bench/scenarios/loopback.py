"""The delay from the speaker to the microphone, as the assistant's own devices report it."""

from __future__ import annotations

import numpy as np

from edgevoice.audio import CAPTURE_RATE, Samples, dbfs
from edgevoice.bench.scenarios.room_response import Acoustics
from edgevoice.clock import Clock
from edgevoice.devices.resilient_microphone import FrameSource
from edgevoice.player import Player
from edgevoice.resample import resample

PROBE = 0.5
"""Seconds of noise that are played to find the delay."""

PROBE_LEVEL = -20.0
"""Its level in dBFS."""

LONGEST_DELAY = 1.0
"""Most seconds until it arrives."""

SURE_PEAK_RATIO = 8.0
"""Least ratio of the correlation's peak to its RMS where the noise arrives."""


def measured(clock: Clock, source: FrameSource, sink: Player) -> Acoustics | None:
    """Play noise and find it in the microphone's sound; None: it is not there.

    Nothing else may use the devices.
    """
    noise = np.random.default_rng(7).standard_normal(round(PROBE * sink.rate))
    probe = np.asarray(noise / np.abs(noise).max(), dtype=np.float32)
    probe *= np.float32(10 ** ((PROBE_LEVEL - dbfs(probe)) / 20))
    number = sink.write(probe)
    end = clock.now() + PROBE + LONGEST_DELAY
    frames = []
    while clock.now() < end:
        frame = source.read()
        if frame is None:
            return None
        frames.append(frame)
    sound = np.concatenate([frame.samples for frame in frames])
    at, sureness, gain = found(resample(probe, sink.rate, CAPTURE_RATE), sound)
    if sureness < SURE_PEAK_RATIO:
        return None
    arrived = source.time_of(frames[0].index) + at / CAPTURE_RATE
    delay, level = arrived - sink.time_of(number), 20 * float(np.log10(gain))
    return Acoustics(delay=delay, level=level, tail=0.0)


def found(known: Samples, sound: Samples) -> tuple[int, float, float]:
    """Where `known` begins in `sound`, in samples; the ratio of the correlation there to its RMS;
    and the gain of `known`, as a factor."""
    size = len(known) + len(sound)
    spectrum = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(known, size))
    correlation = np.abs(np.fft.irfft(spectrum, size)[: len(sound)])
    at = int(correlation.argmax())
    peak, rms = float(correlation[at]), float(np.sqrt(np.mean(correlation**2)))
    return at, peak / (rms + 1e-12), max(peak / float(np.dot(known, known)), 1e-6)
