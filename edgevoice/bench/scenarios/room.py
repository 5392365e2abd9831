"""A room in which the microphone hears the speaker, people and noises, made of loopback devices.

    with Room(clock, hears="room", speaks="room") as room:
        room.acoustics(Acoustics(delay=0.08, level=-12, tail=0.3))
        room.say(cough, after=1.2)       # of the next reply that is heard
        room.say(question, at=clock.now() + 1.0)

`hears` is an input that gives what the speaker lets out (the monitor of its sink), `speaks` an
output that the microphone hears. The sound itself goes through a process of its own: air.py.
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
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from edgevoice.audio import EAR_RATE, Samples
from edgevoice.bench.jobs.worker import JobFailed
from edgevoice.bench.scenarios.acoustics import AcousticPath, AcousticState, RoomTape
from edgevoice.bench.scenarios.room_response import Acoustics
from edgevoice.clock import Clock
from edgevoice.devices.duplex import LATENCY, RATE
from edgevoice.errors import DeviceError, EdgevoiceError
from edgevoice.resample import resample

COMMAND = ("-m", "edgevoice.bench.scenarios.room")

TAPE = 180.0
"""Seconds that are recorded at most, unless another number is asked for."""

URGENT = -10
"""Its priority, where the system grants that."""

SLICE = 0.01
"""Seconds between two looks at whether a sound has begun."""

SILENCE: Samples = np.zeros(0, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class RoomTrack:
    """A recording: float32 [n] at `rate` Hz, and session times of some of its samples."""

    samples: Samples
    rate: int
    marks: tuple[tuple[int, float], ...]

    def time_of(self, number: int) -> float:
        """Session time at which sample `number` sounded."""
        first, at = self.marks[0]
        for mark, time_ in self.marks:
            if mark > number:
                break
            first, at = mark, time_
        return at + (number - first) / self.rate

    def number_at(self, at: float) -> int:
        """The sample that sounded at session time `at`, or the nearest that there is."""
        first, time_ = self.marks[0]
        for mark, when in self.marks:
            if when > at:
                break
            first, time_ = mark, when
        return max(0, min(len(self.samples), first + round((at - time_) * self.rate)))

    def between(self, start: float, end: float) -> Samples:
        """What sounded from session time `start` to `end`."""
        return self.samples[self.number_at(start) : self.number_at(end)]


@dataclass(frozen=True, slots=True)
class RoomRecording:
    """Both sides of a room on one time axis: what the speaker let out, and what was put into the
    microphone."""

    speaker: RoomTrack
    microphone: RoomTrack


class LoopbackRoom:
    """Two loopback devices with the air between them, each asked for `latency` seconds: the less
    the shorter a delay can be had, and the more the safer is sound from being broken up while the
    machine is busy. Usable by any thread; times are session times. Raises DeviceError where a
    device is missing or fails."""

    def __init__(
        self,
        clock: Clock,
        hears: str = "room",
        speaks: str = "room",
        latency: float = LATENCY,
    ) -> None:
        self._ids = itertools.count()
        self._lock = threading.Lock()
        self._origin = time.monotonic() - clock.now()
        self._clock = clock
        package = Path(__file__).parent.parent.parent.parent
        paths = os.pathsep.join(filter(None, (str(package), os.environ.get("PYTHONPATH", ""))))
        self._process = subprocess.Popen(
            [sys.executable, *COMMAND],
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            self._ask("open", hears, speaks, latency)
        except BaseException:
            self.close()
            raise

    def acoustics(self, acoustics: Acoustics | None) -> None:
        """Have the microphone hear the speaker this way; None: not at all, as with headphones."""
        self._ask("acoustics", acoustics)

    def say(
        self,
        samples: Samples,
        *,
        at: float | None = None,
        after: float | None = None,
        level: float = 0.0,
        rate: int = EAR_RATE,
    ) -> int:
        """Have float32 [n] at `rate` Hz heard by the microphone, `level` dB louder than it is.

        It begins `at` a session time, or `after` so many seconds from the first audible sample of
        the next reply, or at once. Returns at once, with a number to ask `begun` for.
        """
        number = next(self._ids)
        when = None if at is None else at + self._origin
        sound = resample(samples, rate, RATE) * np.float32(10 ** (level / 20))
        self._ask("say", number, sound, when, after)
        return number

    def begun(self, number: int) -> float | None:
        """The session time at which the first sample of a sound reached the microphone; None: it
        has not yet."""
        at = self._ask("begun", number)
        return None if at is None else at - self._origin

    def wait_for(self, number: int) -> float:
        """Wait until a sound has begun; returns when its first sample reached the microphone."""
        while True:
            at = self.begun(number)
            if at is not None:
                return at
            self._clock.sleep(SLICE)

    def drop(self, number: int | None = None) -> None:
        """Let a sound, or all of them, be heard no more."""
        self._ask("drop", number)

    def bed(self, samples: Samples = SILENCE, level: float = 0.0, rate: int = EAR_RATE) -> None:
        """Have float32 [n] heard by the microphone over and over, or nothing."""
        self._ask("bed", resample(samples, rate, RATE) * np.float32(10 ** (level / 20)))

    def record(self, seconds: float = TAPE) -> None:
        """Begin to record, for so long at most; what was recorded before is forgotten."""
        self._ask("record", seconds)

    def recorded(self) -> RoomRecording:
        """What was recorded so far."""
        speaker, microphone = self._ask("recorded")
        return RoomRecording(self._track(speaker), self._track(microphone))

    def state(self) -> AcousticState:
        """How it goes so far."""
        state: AcousticState = self._ask("state")
        return state

    def close(self) -> None:
        """Let go of the devices."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> LoopbackRoom:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _track(self, tape: RoomTape) -> RoomTrack:
        marks = tuple((number, at - self._origin) for number, at in tape.marks) or ((0, 0.0),)
        return RoomTrack(tape.samples.astype(np.float32) / 32767.0, RATE, marks)

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
                    "what carries sound from the speaker to the microphone has ended",
                    remedy="see the messages above, and begin again",
                ) from None
        if isinstance(answer, JobFailed):
            raise answer.error()
        return answer


def serve(commands: IO[bytes], answers: IO[bytes]) -> None:
    """Do what comes in through `commands` until that ends."""
    air: AcousticPath | None = None
    try:
        while True:
            try:
                command, arguments = pickle.load(commands)
            except EOFError:
                return
            answer: Any = None
            try:
                if command == "open":
                    air = AcousticPath(*arguments)
                else:
                    answer = getattr(air, command)(*arguments)
            except EdgevoiceError as error:
                answer = JobFailed(type(error).__name__, error.what, error.where, error.remedy)
            pickle.dump(answer, answers)
            answers.flush()
    finally:
        if air is not None:
            air.close()


def main() -> None:
    """The process that carries the sound: commands on standard input, answers on standard
    output, which nothing else may write to."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What it does takes next to nothing, and must not wait for those who compute.
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, 0, URGENT)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
