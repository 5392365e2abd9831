"""A room in which the microphone hears the speaker, people and noises, made of loopback devices.

    with LoopbackRoom(clock, hears="room", speaks="room") as room:
        room.acoustics(Acoustics(delay=0.08, level=-12, tail=0.3))
        room.say(question, at=clock.now() + 1.0)

`hears` is an input that records what the speaker plays (the monitor of its sink), `speaks` an
output that the microphone hears. A process of its own carries the sound: acoustics.py.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from bisect import bisect_right
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np

from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.bench.jobs.worker import claim_stdout, start_python
from edgevoice.bench.scenarios.acoustics import AcousticPath, AcousticState, RoomTape
from edgevoice.bench.scenarios.room_response import Acoustics
from edgevoice.clock import Clock
from edgevoice.devices.duplex import DEVICE_RATE, LATENCY
from edgevoice.errors import DeviceError, EdgevoiceError
from edgevoice.resample import resample

URGENT = -10
"""The process's priority, where the system grants that."""

POLL_SLICE = 0.01
"""Seconds between two looks at whether a sound has begun."""


@dataclass(frozen=True, slots=True)
class RoomTrack:
    """A recording: float32 [n] at `rate` Hz, and session times of some of its samples."""

    samples: Samples
    rate: int
    marks: tuple[tuple[int, float], ...]

    def time_of(self, number: int) -> float:
        """Session time at which sample `number` sounded."""
        mark = bisect_right(self.marks, number, key=itemgetter(0))
        first, at = self.marks[max(0, mark - 1)]
        return at + (number - first) / self.rate

    def number_at(self, at: float) -> int:
        """The sample that sounded at session time `at`, or the nearest that exists."""
        mark = bisect_right(self.marks, at, key=itemgetter(1))
        first, since = self.marks[max(0, mark - 1)]
        return max(0, min(len(self.samples), first + round((at - since) * self.rate)))

    def between(self, start: float, end: float) -> Samples:
        """What sounded from session time `start` to `end`."""
        return self.samples[self.number_at(start) : self.number_at(end)]


class LoopbackRoom:
    """Two loopback devices with the sound path between them. Usable by any thread.

    `latency` in seconds is requested of each device: little allows a short delay, much keeps the
    sound whole on a busy machine. Times are session times. Raises DeviceError if a device is
    missing or fails.
    """

    def __init__(
        self, clock: Clock, hears: str = "room", speaks: str = "room", latency: float = LATENCY
    ) -> None:
        self._ids = itertools.count()
        self._lock = threading.Lock()
        self._origin = time.monotonic() - clock.now()
        self._clock = clock
        self._process = start_python(("-m", "edgevoice.bench.scenarios.room"), None)
        try:
            self._ask("open", hears, speaks, latency)
        except BaseException:
            self.close()
            raise

    def acoustics(self, acoustics: Acoustics | None) -> None:
        """Set how the microphone hears the speaker; None: not at all, as with headphones."""
        self._ask("acoustics", acoustics)

    def say(self, samples: Samples, *, at: float | None = None, level: float = 0.0) -> int:
        """Have the microphone hear float32 [n] at 16 kHz, amplified by `level` dB.

        It starts at session time `at`, or at once. Returns at once, with a number for `begun`.
        """
        number = next(self._ids)
        when = None if at is None else at + self._origin
        sound = resample(samples, CAPTURE_RATE, DEVICE_RATE) * np.float32(10 ** (level / 20))
        self._ask("say", number, sound, when)
        return number

    def begun(self, number: int) -> float | None:
        """The session time at which the first sample of a sound reached the microphone; None:
        not yet."""
        at = self._ask("begun", number)
        return None if at is None else at - self._origin

    def wait_for(self, number: int) -> float:
        """Wait until a sound has begun; returns when its first sample reached the microphone."""
        while (at := self.begun(number)) is None:
            self._clock.sleep(POLL_SLICE)
        return at

    def drop(self) -> None:
        """End all sounds."""
        self._ask("drop")

    def bed(self, samples: Samples) -> None:
        """Have the microphone hear float32 [n] at 16 kHz in a loop; empty: silence."""
        self._ask("bed", resample(samples, CAPTURE_RATE, DEVICE_RATE))

    def record(self, seconds: float) -> None:
        """Start a new recording of at most so many seconds."""
        self._ask("record", seconds)

    def recorded(self) -> RoomTrack:
        """What the speaker played so far."""
        tape: RoomTape = self._ask("recorded")
        marks = tuple((number, at - self._origin) for number, at in tape.marks) or ((0, 0.0),)
        return RoomTrack(tape.samples.astype(np.float32) / 32767.0, DEVICE_RATE, marks)

    def state(self) -> AcousticState:
        state: AcousticState = self._ask("state")
        return state

    def close(self) -> None:
        """Close the devices."""
        try:
            self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def __enter__(self) -> LoopbackRoom:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _ask(self, command: str, *arguments: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            try:
                pickle.dump((command, arguments), self._process.stdin)
                self._process.stdin.flush()
                answer = pickle.load(self._process.stdout)
            except (OSError, EOFError, ValueError, pickle.UnpicklingError):
                raise DeviceError(
                    "the process that carries sound from the speaker to the microphone has ended",
                    remedy="see the messages above, and start again",
                ) from None
        if isinstance(answer, EdgevoiceError):
            raise answer
        return answer


def main() -> None:
    """The process that carries the sound; commands are on standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # It takes little, and must not wait for the models.
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, 0, URGENT)
    answers = claim_stdout()
    with contextlib.suppress(EOFError), contextlib.ExitStack() as opened:
        path: AcousticPath | None = None
        while True:
            command, arguments = pickle.load(sys.stdin.buffer)
            answer: Any = None
            try:
                if command == "open":
                    path = AcousticPath(*arguments)
                    opened.callback(path.close)
                else:
                    answer = getattr(path, command)(*arguments)
            except EdgevoiceError as error:
                answer = error
            pickle.dump(answer, answers)
            answers.flush()


if __name__ == "__main__":
    main()
