"""The air of a room: what the speaker lets out reaches the microphone, with whatever else sounds.

Runs in a process of its own (see room.py), so that neither the assistant's work nor its
interpreter lock holds it up. Times are those of `time.monotonic`, which all processes share.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from edgevoice.audio import AUDIBLE_DBFS, Samples
from edgevoice.bench.scenarios.mixer import MixedSound, Mixer
from edgevoice.bench.scenarios.room_response import Acoustics, Convolver, impulse_response
from edgevoice.devices.duplex import BLOCK, RATE, Duplex

KEPT = 2 * RATE
"""Samples of the speaker that are kept to be heard again: more than any delay."""

LATE_BLOCKS = 5.0
"""How often the sound of the speaker may come too late to be passed on, in about a second, before
the delay is taken to be longer than was asked for."""

QUIET = 0.3
"""Seconds without an audible sample after which the speaker begins anew."""

AUDIBLE = 10 ** (AUDIBLE_DBFS / 20)

MARKED = RATE // 4
"""Samples from one mark of time on a tape to the next."""


class AcousticState(Struct, frozen=True, kw_only=True):
    """How it goes: `delay` in seconds as it is now, sound that came too late to be passed on
    (`late`) or was moved in time (`moved`), times that the output ran dry, and processor seconds
    out of all `seconds` so far."""

    delay: float
    late: int
    moved: int
    dry: int
    cpu: float
    seconds: float


@dataclass(slots=True)
class RoomTape:
    """int16 [n] at RATE Hz, preallocated; `marks` are numbers of samples on it and their times."""

    samples: NDArray[np.int16]
    count: int = 0
    marks: list[tuple[int, float]] = field(default_factory=list)

    @classmethod
    def of(cls, seconds: float) -> RoomTape:
        # Written once, so that a callback does not wait for memory to be had.
        return cls(np.full(round(seconds * RATE), 0, dtype=np.int16))

    def put(self, block: Samples, at: float) -> None:
        """Append float32 [n], the first of which sounds at `at`; what is too much is left out."""
        room = len(self.samples) - self.count
        if room <= 0:
            return
        if not self.marks or self.count - self.marks[-1][0] >= MARKED:
            self.marks.append((self.count, at))
        part = block[:room]
        np.multiply(
            part, 32767.0, out=self.samples[self.count : self.count + len(part)], casting="unsafe"
        )
        self.count += len(part)

    def cut(self) -> RoomTape:
        """What is on it so far."""
        return RoomTape(self.samples[: self.count].copy(), self.count, self.marks[:])


@dataclass(slots=True)
class _Waiting:
    """A sound that is to be heard `at` a time, or `after` so many seconds of the next reply."""

    sound: MixedSound
    at: float | None
    after: float | None
    replies: int = 0


class AcousticPath:
    """Carries sound from one device to another. All but the two callbacks are commands."""

    def __init__(self, hears: str, speaks: str, latency: float) -> None:
        self._ring = np.zeros(KEPT, dtype=np.float32)
        self._written = 0
        self._next = 0
        self._delay = 0.0
        self._convolver: Convolver | None = None
        self._mix = Mixer()
        # Only the output's callback touches the mix and what waits for it; others leave word.
        self._todo: deque[Callable[[], None]] = deque()
        self._waiting: list[_Waiting] = []
        self._begun: dict[int, float] = {}
        self._reply = (0, 0.0)
        """How often the speaker began to sound so far, and when it last did."""
        self._last_audible = -KEPT
        self._late = self._moved = 0
        self._short = 0.0
        self._tapes: tuple[RoomTape, RoomTape] | None = None
        self._since = time.monotonic()
        self._cpu = time.process_time()
        self._through: Duplex | None = None
        self._through = Duplex(hears, speaks, self._hear, self._speak, latency)

    # The two callbacks.

    def _hear(self, block: Samples, number: int) -> None:
        at = number % KEPT
        first = min(len(block), KEPT - at)
        self._ring[at : at + first] = block[:first]
        self._ring[: len(block) - first] = block[first:]
        self._written = number + len(block)
        through = self._through
        if through is None:
            return
        if max(block.max(), -block.min()) >= AUDIBLE:
            loud = np.flatnonzero(np.abs(block) >= AUDIBLE)
            if number + loud[0] - self._last_audible > QUIET * RATE:
                began = through.input.time_of(number + int(loud[0]))
                self._reply = (self._reply[0] + 1, began)
            self._last_audible = number + int(loud[-1])
        if self._tapes is not None:
            self._tapes[0].put(block, through.input.time_of(number))

    def _speak(self, block: Samples, number: int) -> None:
        through = self._through
        if through is None:
            return
        at = through.output.time_of(number)
        convolver = self._convolver
        if convolver is not None and through.input.settled and through.output.settled:
            block += convolver.push(self._passed_on(through.input.number_at(at - self._delay)))
        self._place(through, number, at)
        self._mix.into(block, number)
        if self._tapes is not None:
            self._tapes[1].put(block, at)

    def _passed_on(self, wanted: int) -> Samples:
        """What the speaker let out from sample `wanted` on, float32 [BLOCK]."""
        # Rounding makes one sample of difference at times, which would be heard as a click.
        if abs(wanted - self._next) > 2:
            self._moved += 1
            self._next = wanted
        start, end = self._next, self._next + BLOCK
        self._next = end
        self._short = max(0.0, self._short - 0.01)
        missing = end - self._written
        if missing > 0:
            self._late += 1
            self._short += 1.0
            if self._short > LATE_BLOCKS:
                self._delay += (missing + BLOCK // 4) / RATE
                self._short = 0.0
        if missing > 0 or start < max(0, self._written - KEPT):
            numbers = np.arange(start, end)
            part = self._ring[numbers % KEPT]
            part[(numbers >= self._written) | (numbers < max(0, self._written - KEPT))] = 0.0
            return part
        at = start % KEPT
        part = self._ring[at : at + BLOCK]
        return (
            part if len(part) == BLOCK else np.concatenate([part, self._ring[: BLOCK - len(part)]])
        )

    def _place(self, through: Duplex, number: int, at: float) -> None:
        """Decide with which sample of the output each sound begins whose time has come."""
        while self._todo:
            self._todo.popleft()()
        replies, began = self._reply
        for waiting in self._waiting[:]:
            if waiting.after is not None:
                if replies == waiting.replies:
                    continue
                waiting.at, waiting.after = began + waiting.after, None
            due = number if waiting.at is None else through.output.number_at(waiting.at)
            if due >= number + BLOCK:
                continue
            begin = max(due, number)
            waiting.sound.begin = begin
            self._mix.add(waiting.sound)
            self._begun[waiting.sound.id] = through.output.time_of(begin)
            self._waiting.remove(waiting)
        for sound in self._mix.sounds[:]:
            if sound.end is not None and sound.end < number:
                self._mix.drop(sound.id)

    # Commands, from another thread.

    def acoustics(self, acoustics: Acoustics | None) -> None:
        """Have the microphone hear the speaker this way, or not at all."""
        self._convolver = None
        if acoustics is not None:
            self._delay = acoustics.delay
            self._short = 0.0
            self._convolver = Convolver(impulse_response(acoustics, RATE), BLOCK)

    def say(self, id: int, samples: Samples, at: float | None, after: float | None) -> None:
        """Have float32 [n] at RATE Hz heard from time `at` on, or `after` so many seconds of the
        next reply, or at once."""
        waiting = _Waiting(MixedSound(id, samples), at, after, self._reply[0])
        self._todo.append(lambda: self._waiting.append(waiting))

    def begun(self, id: int) -> float | None:
        """When the first sample of a sound reaches the microphone; None: not known yet."""
        return self._begun.get(id)

    def drop(self, id: int | None) -> None:
        """Let a sound, or all, be heard no more."""

        def drop() -> None:
            self._waiting = [w for w in self._waiting if id is not None and w.sound.id != id]
            self._mix.drop(id)

        self._todo.append(drop)

    def bed(self, samples: Samples) -> None:
        """Have float32 [n] at RATE Hz heard over and over; none: silence."""
        self._todo.append(lambda: setattr(self._mix, "bed", samples))

    def record(self, seconds: float) -> None:
        """Begin to record, for so long at most; forgets what was recorded before."""
        self._tapes = None
        self._tapes = (RoomTape.of(seconds), RoomTape.of(seconds))

    def recorded(self) -> tuple[RoomTape, RoomTape]:
        """What was recorded so far: of the speaker, and of the microphone."""
        tapes = self._tapes or (RoomTape.of(0.0), RoomTape.of(0.0))
        return tapes[0].cut(), tapes[1].cut()

    def state(self) -> AcousticState:
        assert self._through is not None
        return AcousticState(
            delay=self._delay,
            late=self._late,
            moved=self._moved,
            dry=self._through.dry,
            cpu=time.process_time() - self._cpu,
            seconds=time.monotonic() - self._since,
        )

    def close(self) -> None:
        if self._through is not None:
            self._through.close()
