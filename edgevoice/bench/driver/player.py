"""Plays questions: straight into the pipeline, or through a speaker."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Frame, Samples
from edgevoice.clock import Clock
from edgevoice.player import Player
from edgevoice.resample import resample

WAIT_SLICE = 0.25
"""Seconds of a wait between two chances for Ctrl-C."""


class QuestionPlayer(Protocol):
    """Plays speech to the microphone."""

    def say(self, samples: Samples) -> float | None:
        """Play float32 [n] at 16 kHz to its end, in real time.

        Returns the session time in seconds at which the first sample reached the microphone; None
        if the session ended before.
        """

    def close(self) -> None:
        """Stop."""


class QuietRoom:
    """A simulated microphone, which is also its QuestionPlayer; silence when nothing is played."""

    def __init__(self, clock: Clock) -> None:
        self.name = "questions, straight into the pipeline"
        self._clock = clock
        self._monitor = clock.monitor()
        self._origin: float | None = None
        self._index = 0
        self._rest = np.zeros(0, dtype=np.float32)
        self._began: float | None = None
        self._muted = False
        self._closed = False

    def read(self) -> Frame | None:
        if self._origin is None:
            self._origin = self._clock.now()
        self._clock.sleep(self.time_of(self._index + FRAME_SAMPLES) - self._clock.now())
        samples = np.zeros(FRAME_SAMPLES, dtype=np.float32)
        with self._monitor:
            if self._closed:
                return None
            taken = self._rest[:FRAME_SAMPLES]
            if len(taken):
                samples[: len(taken)] = 0.0 if self._muted else taken
                self._rest = self._rest[FRAME_SAMPLES:]
                self._began = self.time_of(self._index) if self._began is None else self._began
                self._monitor.notify_all()
        frame = Frame(samples, self._index)
        self._index += FRAME_SAMPLES
        return frame

    def say(self, samples: Samples) -> float | None:
        with self._monitor:
            self._rest, self._began = samples, None
            while not self._monitor.wait_for(
                lambda: self._closed or not len(self._rest), WAIT_SLICE
            ):
                continue
            return None if self._closed else self._began

    def time_of(self, index: int) -> float:
        return (self._origin or 0.0) + index / CAPTURE_RATE

    def overruns(self) -> int:
        return 0

    def mute(self, on: bool) -> None:
        self._muted = on

    def close(self) -> None:
        with self._monitor:
            self._closed = True
            self._monitor.notify_all()


class LoudspeakerPlayer:
    """Plays through a speaker that the microphone hears."""

    def __init__(self, clock: Clock, sink: Player) -> None:
        self._clock = clock
        self._sink = sink
        self._closed = False

    def say(self, samples: Samples) -> float | None:
        sound = resample(samples, CAPTURE_RATE, self._sink.rate)
        step = max(1, self._sink.rate // 10)
        first = end = None
        for start in range(0, len(sound), step):
            if self._closed:
                return None
            part = sound[start : start + step]
            number = self._sink.write(part)
            first = number if first is None else first
            end = number + len(part)
        if first is None or end is None:
            return None
        while self._sink.samples_played() <= first and not self._closed:
            self._clock.sleep(0.01)
        began = self._sink.time_of(first)
        while self._sink.samples_played() < end and not self._closed:
            self._clock.sleep(0.02)
        return None if self._closed else began

    def close(self) -> None:
        self._closed = True
        self._sink.close()
