"""The sound path of a room: the microphone hears the speaker, voices and noise.

It runs in a process of its own (see room.py), so that the assistant's work and its interpreter
lock do not hold it up. Times are those of `time.monotonic`, which all processes share.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from edgevoice.audio import Samples
from edgevoice.bench.scenarios.room_response import Acoustics, Convolver, impulse_response
from edgevoice.devices.duplex import CALLBACK_FRAMES, DEVICE_RATE, Duplex

ECHO_SAMPLES = 2 * DEVICE_RATE
"""Samples of the speaker that are kept for the echo: more than any delay."""

LATE_BLOCKS = 5.0
"""Late blocks in about a second after which the delay is raised."""

MARKED = DEVICE_RATE // 4
"""Samples from one time mark of a tape to the next."""


class AcousticState(Struct, frozen=True, kw_only=True):
    """Counters since the start.

    `delay` is the current delay in seconds. `late` counts blocks of the speaker that came too late
    to be passed on, `moved` shifts in time, and `dry` underruns of the output.
    """

    delay: float
    late: int
    moved: int
    dry: int


@dataclass(slots=True)
class RoomTape:
    """int16 [n] at DEVICE_RATE Hz, of which `count` are recorded.

    `marks` are sample numbers and their times.
    """

    samples: NDArray[np.int16]
    count: int = 0
    marks: list[tuple[int, float]] = field(default_factory=list)

    @classmethod
    def of(cls, seconds: float) -> RoomTape:
        # Filled, so that a callback does not wait for memory.
        return cls(np.full(round(seconds * DEVICE_RATE), 0, dtype=np.int16))

    def put(self, block: Samples, at: float) -> None:
        """Append float32 [n] that sounds from time `at` on, as far as there is room."""
        part = block[: len(self.samples) - self.count]
        if not len(part):
            return
        if not self.marks or self.count - self.marks[-1][0] >= MARKED:
            self.marks.append((self.count, at))
        end = self.count + len(part)
        np.multiply(part, 32767.0, out=self.samples[self.count : end], casting="unsafe")
        self.count = end

    def cut(self) -> RoomTape:
        """A copy of the recorded part."""
        return RoomTape(self.samples[: self.count].copy(), self.count, self.marks[:])


class Mixer:
    """Adds sounds to a stream, and the `bed`, a noise in a loop; empty is silence."""

    def __init__(self) -> None:
        self.bed: Samples = np.zeros(0, dtype=np.float32)
        self._bed_at = 0
        self._sounds: list[tuple[Samples, int]] = []

    def add(self, samples: Samples, begin: int) -> None:
        """Add float32 [n], whose first sample is number `begin` of the stream."""
        self._sounds.append((samples, begin))

    def drop(self) -> None:
        """Remove all sounds; the bed stays."""
        self._sounds = []

    def into(self, block: Samples, number: int) -> None:
        """Add everything to float32 [n], which begins with sample `number` of the stream."""
        if len(self.bed):
            block += self.bed.take(self._bed_at + np.arange(len(block)), mode="wrap")
            self._bed_at = (self._bed_at + len(block)) % len(self.bed)
        for samples, begin in self._sounds:
            start = begin - number
            first, last = max(0, start), min(len(block), start + len(samples))
            if first < last:
                block[first:last] += samples[first - start : last - start]
        self._sounds = [(s, begin) for s, begin in self._sounds if begin + len(s) > number]


@dataclass(slots=True)
class _Waiting:
    """A sound that starts at time `at`; None: at once."""

    id: int
    samples: Samples
    at: float | None


class AcousticPath:
    """Carries sound from one device to another. All but the two callbacks are commands."""

    def __init__(self, hears: str, speaks: str, latency: float) -> None:
        self._ring = np.zeros(ECHO_SAMPLES, dtype=np.float32)
        self._written = 0
        self._next = 0
        self._delay = 0.0
        self._convolver: Convolver | None = None
        self._mix = Mixer()
        # Only the output's callback touches the mix and what waits for it; others leave orders.
        self._orders: deque[Callable[[], None]] = deque()
        self._waiting: list[_Waiting] = []
        self._begun: dict[int, float] = {}
        self._late = self._moved = 0
        self._short = 0.0
        self._tape: RoomTape | None = None
        # The callbacks may run before the constructor returns.
        self._duplex: Duplex | None = None
        self._duplex = Duplex(hears, speaks, self._hear, self._speak, latency)

    # The two callbacks.

    def _hear(self, block: Samples, number: int) -> None:
        self._ring[np.arange(number, number + len(block)) % ECHO_SAMPLES] = block
        self._written = number + len(block)
        if self._duplex is not None and self._tape is not None:
            self._tape.put(block, self._duplex.input.time_of(number))

    def _speak(self, block: Samples, number: int) -> None:
        duplex = self._duplex
        if duplex is None:
            return
        convolver = self._convolver
        if convolver is not None and duplex.input.settled and duplex.output.settled:
            at = duplex.output.time_of(number)
            block += convolver.push(self._played(duplex.input.number_at(at - self._delay)))
        self._start_due(duplex, number)
        self._mix.into(block, number)

    def _played(self, wanted: int) -> Samples:
        """What the speaker played from sample `wanted` on, float32 [CALLBACK_FRAMES]."""
        # Rounding makes a difference of one sample at times, which would be heard as a click.
        if abs(wanted - self._next) > 2:
            self._moved += 1
            self._next = wanted
        numbers = np.arange(self._next, self._next + CALLBACK_FRAMES)
        self._next += CALLBACK_FRAMES
        missing = self._next - self._written
        self._short = max(0.0, self._short - 0.01)
        if missing > 0:
            self._late += 1
            self._short += 1.0
            if self._short > LATE_BLOCKS:
                self._delay += (missing + CALLBACK_FRAMES // 4) / DEVICE_RATE
                self._short = 0.0
        there = (numbers < self._written) & (numbers >= self._written - ECHO_SAMPLES)
        return np.where(there, self._ring[numbers % ECHO_SAMPLES], np.float32(0.0))

    def _start_due(self, duplex: Duplex, number: int) -> None:
        """Hand the sounds whose time has come to the mixer."""
        while self._orders:
            self._orders.popleft()()
        for waiting in self._waiting[:]:
            due = number if waiting.at is None else duplex.output.number_at(waiting.at)
            if due < number + CALLBACK_FRAMES:
                begin = max(due, number)
                self._mix.add(waiting.samples, begin)
                self._begun[waiting.id] = duplex.output.time_of(begin)
                self._waiting.remove(waiting)

    # Commands, from another thread.

    def acoustics(self, acoustics: Acoustics | None) -> None:
        """Set how the microphone hears the speaker; None: not at all."""
        self._convolver = None
        if acoustics is not None:
            self._delay = acoustics.delay
            self._short = 0.0
            self._convolver = Convolver(impulse_response(acoustics, DEVICE_RATE), CALLBACK_FRAMES)

    def say(self, id: int, samples: Samples, at: float | None) -> None:
        """Play float32 [n] at DEVICE_RATE Hz at time `at`, or at once."""
        waiting = _Waiting(id, samples, at)
        self._orders.append(lambda: self._waiting.append(waiting))

    def begun(self, id: int) -> float | None:
        """When the first sample of a sound reaches the microphone; None: not known yet."""
        return self._begun.get(id)

    def drop(self) -> None:
        """End all sounds."""
        self._orders.extend((self._waiting.clear, self._mix.drop))

    def bed(self, samples: Samples) -> None:
        """Play float32 [n] at DEVICE_RATE Hz in a loop; empty: silence."""
        self._orders.append(lambda: setattr(self._mix, "bed", samples))

    def record(self, seconds: float) -> None:
        """Start a new recording of at most so many seconds."""
        self._tape = RoomTape.of(seconds)

    def recorded(self) -> RoomTape:
        """What the speaker played so far."""
        return (self._tape or RoomTape.of(0.0)).cut()

    def state(self) -> AcousticState:
        dry = self._duplex.dry if self._duplex else 0
        return AcousticState(delay=self._delay, late=self._late, moved=self._moved, dry=dry)

    def close(self) -> None:
        if self._duplex is not None:
            self._duplex.close()
