"""A microphone and a speaker at the far end of a connection, for example those of a phone.

The client counts the samples of its microphone, and this count is its clock. It numbers what it
records, and reports what it plays. Messages arrive late by an unknown and changing time, so only
the earliest tells how the client's clock relates to the session's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Frame, Samples
from edgevoice.clock import Clock
from edgevoice.errors import DeviceError
from edgevoice.player import NOTHING
from edgevoice.protocols import Position

CLOCK_WINDOW = 200
"""Messages over which the client's clock is matched to the session's: some seconds."""

JITTER = 0.06
"""Seconds of later sound that must arrive before missing sound counts as lost."""

MAX_CONCEALED = 0.3
"""Longest loss in seconds that silence replaces; after a longer one the sound does not go on."""

SILENT_AFTER = 0.5
"""Seconds without a report after which nothing more counts as played: the client may be gone."""


@dataclass(frozen=True, slots=True)
class PlayFrames:
    """To the client: queue float32 [n] `samples`; `first` is the number of the first frame."""

    first: int
    samples: Samples


@dataclass(frozen=True, slots=True)
class ReplaceFrames:
    """To the client: replace the queued frames from `first` on by float32 [n] `instead`.

    Like `AudioSink.clear`, but frames that are taken already count only as far as `first`.
    """

    first: int
    instead: Samples
    fade: int


ToClient = PlayFrames | ReplaceFrames


class ClientClock:
    """Relates the client's clock, in seconds since its first sample, to the session's."""

    def __init__(self) -> None:
        self._offsets = np.full(CLOCK_WINDOW, np.inf)
        self._count = 0

    def note(self, sent: float, received: float) -> None:
        """Note a message sent at a client's time, and received at a session time."""
        self._offsets[self._count % CLOCK_WINDOW] = received - sent
        self._count += 1

    def session_time(self, time: float) -> float:
        """The session time at a client's time; infinite before the first message."""
        return time + float(self._offsets.min())


class _Client:
    """A client's device, which only the end of its connection removes."""

    def failed(self) -> DeviceError | None:
        return None

    def alive(self) -> bool:
        return True


class RemoteSource(_Client):
    """AudioSource of a client's microphone: sorts what arrives, and replaces short losses.

    `received` may be called from any thread, and the sound may arrive in any order. It begins at
    sample `first`.
    """

    def __init__(self, clock: Clock, client: ClientClock, name: str, first: int = 0) -> None:
        self.name = name
        self._clock = clock
        self._client = client
        self._monitor = clock.monitor()
        self._pieces: dict[int, Samples] = {}
        self._next = first
        """The sample to be returned next."""
        self._end = first
        """The sample after the newest one received."""
        self._lost = 0
        self._muted = False
        self._closed = False

    def received(self, first: int, samples: Samples) -> None:
        """Take float32 [n] at 16 kHz, of which the client counts the first as number `first`."""
        end = first + len(samples)
        self._client.note(end / CAPTURE_RATE, self._clock.now())
        with self._monitor:
            if len(samples) and end > self._next:
                self._pieces[first] = samples
                self._end = max(self._end, end)
                self._monitor.notify_all()

    def read(self) -> Frame | None:
        frame = np.zeros(FRAME_SAMPLES, dtype=np.float32)
        filled = 0
        with self._monitor:
            while filled < FRAME_SAMPLES:
                at = self._next + filled
                self._monitor.wait_for(partial(self._closed_or_ready, at))
                if self._closed:
                    return None
                first = min(self._pieces)
                if first - at > MAX_CONCEALED * CAPTURE_RATE:
                    # The sound does not go on: what there was of this frame is dropped.
                    self._lost += first - self._next
                    self._next, filled = first, 0
                elif first > at:
                    missing = min(first - at, FRAME_SAMPLES - filled)
                    self._lost += missing
                    filled += missing
                else:
                    piece = self._pieces.pop(first)[at - first :]
                    count = min(len(piece), FRAME_SAMPLES - filled)
                    frame[filled : filled + count] = piece[:count]
                    filled += count
                    if count < len(piece):
                        self._pieces[at + count] = piece[count:]
            index, self._next = self._next, self._next + FRAME_SAMPLES
        return Frame(np.zeros_like(frame) if self._muted else frame, index)

    def _closed_or_ready(self, at: int) -> bool:
        """Whether sample `at` is here, or lost, or nothing more is to come."""
        first = min(self._pieces, default=None)
        return self._closed or (
            first is not None and (first <= at or self._end - first > JITTER * CAPTURE_RATE)
        )

    def time_of(self, index: int) -> float:
        return self._client.session_time(index / CAPTURE_RATE)

    def overruns(self) -> int:
        return self._lost

    def mute(self, on: bool) -> None:
        self._muted = on

    def close(self) -> None:
        with self._monitor:
            self._closed = True
            self._monitor.notify_all()


class RemoteSink(_Client):
    """AudioSink of a client's speaker at `rate` Hz; `send` passes a message on and never waits."""

    def __init__(
        self,
        clock: Clock,
        client: ClientClock,
        rate: int,
        name: str,
        send: Callable[[ToClient], None],
    ) -> None:
        self.name = name
        self.rate = rate
        self._clock = clock
        self._client = client
        self._send = send
        self._monitor = clock.monitor()
        self._end = 0
        self._report = Position(0, 0, 0, math.inf, -1)
        """The last one, with its time on the client's clock."""
        self._reported = -math.inf
        """Session time at which it came."""
        self._starved = 0
        """The last frame before which the client had nothing to play, as far as is known."""
        self._closed = False

    def received(self, report: Position, sent: float) -> None:
        """Take the client's position. Its `time`, and `sent`, are times of the client's clock."""
        self._client.note(sent, self._clock.now())
        with self._monitor:
            self._report, self._reported = report, self._clock.now()
            self._starved = max(self._starved, min(report.starved, self._end))

    def write(self, samples: Samples) -> None:
        with self._monitor:
            if not self._closed:
                self._estimate()
                self._send(PlayFrames(self._end, samples))
                self._end += len(samples)

    def position(self) -> Position:
        with self._monitor:
            taken = self._estimate()
            time = self._client.session_time(self._report.time)
            return replace(self._report, taken=taken, time=time, starved=self._starved)

    def settled(self) -> int:
        """How many frames had left the speaker, as far as is known."""
        with self._monitor:
            return self._estimate()

    def _estimate(self) -> int:
        """How many frames have been played by now; notes whether that was all."""
        # Frames after a silence have not begun until the client says so.
        known = self._end if self._report.since >= self._starved else self._starved
        time = self._client.session_time(self._report.time)
        report = replace(self._report, taken=known, time=time)
        now = min(self._clock.now(), self._reported + SILENT_AFTER)
        taken = report.played(now, self.rate)
        if taken == self._end:
            self._starved = taken
        return taken

    def clear(self, first: int, instead: Samples, fade: int) -> int:
        with self._monitor:
            begin = min(max(first, self._estimate()), self._end)
            instead = instead[max(0, begin - first) :]
            if self._end > begin or len(instead):
                self._send(ReplaceFrames(begin, instead, fade))
            self._end = begin + len(instead)
            return begin

    def close(self) -> None:
        with self._monitor:
            if not self._closed:
                self._send(ReplaceFrames(0, NOTHING, 0))
            self._closed = True
