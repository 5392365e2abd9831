"""The way from the speaker to the microphone, as the assistant's own devices see it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from msgspec import Struct

from edgevoice.audio import EAR_RATE, Frame, Samples, dbfs
from edgevoice.clock import Clock
from edgevoice.player import Player
from edgevoice.resample import resample

PROBE = 0.5
"""Seconds of noise that are played to find the delay."""

PROBE_LEVEL = -20.0
"""Its level in dBFS."""

LONGEST_DELAY = 1.0
"""Seconds that it may take to arrive."""

SURE = 8.0
"""How many times as high as the rest the correlation must be where the noise arrives."""


class Loopback(Struct, frozen=True, kw_only=True):
    """`delay` is seconds from when a sample leaves the speaker, as the sink says, until it reaches
    the microphone, as the source says; `level` dB by which it is louder then."""

    delay: float
    level: float


class LoopMicrophone(Protocol):
    """What is needed of a microphone."""

    def read(self) -> Frame | None: ...

    def time_of(self, index: int) -> float: ...


def measured(clock: Clock, source: LoopMicrophone, sink: Player) -> Loopback | None:
    """Play a little noise and find it in what the microphone hears; None: it does not hear it.

    Both devices are open and used by nobody else; what the microphone hears meanwhile is lost.
    """
    noise = np.random.default_rng(7).standard_normal(round(PROBE * sink.rate))
    probe = np.asarray(noise / np.abs(noise).max(), dtype=np.float32)
    probe *= np.float32(10 ** ((PROBE_LEVEL - dbfs(probe)) / 20))
    number = sink.write(probe)
    began = clock.now()
    frames = []
    while clock.now() < began + PROBE + LONGEST_DELAY:
        frame = source.read()
        if frame is None:
            return None
        frames.append(frame)
    heard = np.concatenate([frame.samples for frame in frames])
    known = resample(probe, sink.rate, EAR_RATE)
    at, sureness, gain = found(known, heard)
    if sureness < SURE:
        return None
    arrived = source.time_of(frames[0].index) + at / EAR_RATE
    return Loopback(delay=arrived - sink.time_of(number), level=20 * float(np.log10(gain)))


def found(known: Samples, heard: Samples) -> tuple[float, float, float]:
    """Where `known` begins in `heard`, in samples; how many times as high as its surroundings the
    correlation is there; and how loud it is, as a factor."""
    size = 1 << (len(known) + len(heard)).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(known, size))
    correlation = np.abs(np.fft.irfft(spectrum, size)[: len(heard)])
    at = int(correlation.argmax())
    surroundings = float(np.sqrt(np.mean(correlation**2))) + 1e-12
    gain = float(correlation[at]) / float(np.dot(known, known))
    return at, float(correlation[at]) / surroundings, max(gain, 1e-6)
