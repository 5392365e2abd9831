"""Ways to a speaker on virtual time, each with a tape of all that left the speaker."""

from __future__ import annotations

import math
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edgevoice.audio import Samples
from edgevoice.clock import Clock
from edgevoice.devices.playout_buffer import PlayoutBuffer
from edgevoice.devices.resilient_loudspeaker import ResilientLoudspeaker
from edgevoice.devices.simulated import SimulatedSink
from edgevoice.errors import DeviceError
from edgevoice.protocols import AudioSink, Position
from edgevoice.wav import WavWriter
from tests.remote import Phone

RATE = 1024
BLOCK = 16


class Tape:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.samples = np.zeros(0, dtype=np.float32)
        self.closed = False

    def write(self, samples: Samples) -> None:
        self.samples = np.concatenate([self.samples, samples])

    def close(self) -> None:
        self.closed = True


class Device:
    """An AudioSink with a callback every `BLOCK` frames, whose sound leaves the speaker later.

    Every callback comes up to `late` seconds late. `start` lets them come by themselves; until
    then `run` makes them.
    """

    name = "device"
    LATENCY = 1 / 16

    def __init__(self, clock: Clock, late: float = 0.0) -> None:
        self.rate = RATE
        self.clock = clock
        self.late = late
        self.tape = Tape()
        self._origin = clock.now()
        self._buffer = PlayoutBuffer(RATE)
        self._blocks = 0
        self._closed = False

    def start(self) -> Device:
        def callbacks() -> None:
            while not self._closed:
                self.run(1)

        self.clock.spawn(callbacks, "callbacks")
        return self

    def run(self, blocks: int) -> None:
        out = np.empty((BLOCK, 1), dtype=np.float32)
        for _ in range(blocks):
            begun = self._origin + self._blocks * BLOCK / RATE
            lateness = self.late * (self._blocks % 7) / 6
            self._buffer.take(out, begun + lateness + self.LATENCY)
            self.tape.write(out[:, 0])
            self._blocks += 1
            self.clock.sleep(self._origin + self._blocks * BLOCK / RATE - self.clock.now())

    def pause_of_its_own(self, seconds: float) -> None:
        """Let the device play silence that nobody gave it."""
        self._origin += seconds
        self.clock.sleep(seconds)
        self._buffer.interrupted()

    def write(self, samples: Samples) -> None:
        self._buffer.write(samples)

    def position(self) -> Position:
        return self._buffer.position()

    def clear(self, first: int, instead: Samples, fade: int) -> int:
        return self._buffer.clear(first, instead, fade)

    def close(self) -> None:
        self._closed = True

    def failed(self) -> DeviceError | None:
        return None

    def alive(self) -> bool:
        return True

    def settled(self) -> int:
        return self.position().played(self.clock.now(), self.rate)


Heard = Callable[[float, float], Samples]
"""What left the speaker between two session times."""

Way = tuple[AudioSink, Heard, float]
"""A sink; what it has played so far, as float32 at its rate from one session time to another; the
seconds after which what the player does is heard."""


def simulated(clock: Clock, folder: Path) -> Way:
    tape = Tape()
    sink = SimulatedSink(clock, RATE, "simulated", tape)

    def heard(first: float, last: float) -> Samples:
        # It plays when it is used.
        sink.position()
        return _cut(tape.samples, first, last)

    return sink, heard, 0.0


def recorded(clock: Clock, folder: Path) -> Way:
    path = folder / "recording.wav"
    sink = SimulatedSink(clock, RATE, "recorded", WavWriter(path, RATE))

    def heard(first: float, last: float) -> Samples:
        sink.close()
        with wave.open(str(path)) as file:
            stored = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        return _cut(stored.astype(np.float32) / 32767, first, last)

    return sink, heard, 0.0


def local(clock: Clock, folder: Path) -> Way:
    device = Device(clock).start()

    def heard(first: float, last: float) -> Samples:
        return _cut(device.tape.samples, first - Device.LATENCY, last - Device.LATENCY)

    return device, heard, Device.LATENCY + BLOCK / RATE


def resilient(clock: Clock, folder: Path) -> Way:
    """The second device of a speaker that was lost and has come back."""
    devices = [Device(clock), Device(clock)]
    slot = ResilientLoudspeaker(clock, "", True, lambda _: devices[0], RATE)
    slot.fill()
    slot.empty()
    del devices[0]
    slot.fill()
    device = devices[0].start()

    def heard(first: float, last: float) -> Samples:
        return _cut(device.tape.samples, first - Device.LATENCY, last - Device.LATENCY)

    return slot, heard, Device.LATENCY + BLOCK / RATE


def remote(clock: Clock, folder: Path) -> Way:
    phone = Phone(clock, RATE, BLOCK)
    return phone.sink, phone.heard, 0.2


def _cut(samples: Samples, first: float, last: float) -> Samples:
    return samples[max(0, math.ceil(first * RATE - 1e-3)) : math.ceil(last * RATE - 1e-3)]
