"""A room on the virtual clock: a microphone that hears whoever is told to speak, and a recorder."""

from __future__ import annotations

import numpy as np

from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Frame, Samples
from edgevoice.bench.scenarios.acoustics import Mixer
from edgevoice.bench.scenarios.room import RoomTrack
from edgevoice.bench.scenarios.room_response import Acoustics
from edgevoice.clock import Clock
from edgevoice.devices.simulated import SimulatedSink


class Recorder:
    """Keeps what a paced sink plays."""

    def __init__(self) -> None:
        self.pieces: list[Samples] = [np.zeros(0, dtype=np.float32)]

    def write(self, samples: Samples) -> None:
        self.pieces.append(samples.copy())

    def close(self) -> None:
        return


class VirtualRoom:
    """An AudioSource, and the stage that scenarios are acted out on."""

    def __init__(self, clock: Clock) -> None:
        self.name = "virtual room"
        self.ways: list[Acoustics | None] = []
        self.recorder = Recorder()
        self.sink = SimulatedSink(clock, CAPTURE_RATE, "virtual speaker", self.recorder)
        self._clock = clock
        self._mix = Mixer()
        self._index = 0
        self._said = 0
        self._begun: dict[int, float] = {}
        self._closed = False

    def read(self) -> Frame | None:
        self._clock.sleep((self._index + FRAME_SAMPLES) / CAPTURE_RATE - self._clock.now())
        if self._closed:
            return None
        block = np.zeros(FRAME_SAMPLES, dtype=np.float32)
        self._mix.into(block, self._index)
        frame = Frame(block, self._index)
        self._index += FRAME_SAMPLES
        return frame

    def time_of(self, index: int) -> float:
        return index / CAPTURE_RATE

    def mute(self, on: bool) -> None:
        return

    def overruns(self) -> int:
        return 0

    def close(self) -> None:
        self._closed = True

    def acoustics(self, acoustics: Acoustics | None) -> None:
        self.ways.append(acoustics)

    def bed(self, samples: Samples) -> None:
        self._mix.bed = samples

    def say(self, samples: Samples, *, at: float, level: float) -> int:
        self._said += 1
        begin = max(self._index, round(at * CAPTURE_RATE))
        self._mix.add(samples, begin)
        self._begun[self._said] = begin / CAPTURE_RATE
        return self._said

    def wait_for(self, number: int) -> float:
        self._clock.sleep(self._begun[number] - self._clock.now())
        return self._begun[number]

    def drop(self) -> None:
        self._mix.drop()

    def record(self, seconds: float) -> None:
        return

    def recorded(self) -> RoomTrack:
        return RoomTrack(np.concatenate(self.recorder.pieces), CAPTURE_RATE, ((0, 0.0),))
