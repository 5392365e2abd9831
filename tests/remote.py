"""A phone on virtual time, and the network between it and the assistant."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from functools import partial

import numpy as np

from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.clock import Clock
from edgevoice.devices.playout_buffer import PlayoutBuffer
from edgevoice.devices.remote import (
    ClientClock,
    PlayFrames,
    RemoteSink,
    RemoteSource,
    ReplaceFrames,
    ToClient,
)
from edgevoice.protocols import Position

PACKET = 320
"""Samples of the microphone in a message: 20 ms."""

REPORT_INTERVAL = 0.05


class Network:
    """Delivers each message `delay` seconds later, and up to `jitter` more; loses some sound.

    Those sent `in_order` arrive in order, the others as it happens.
    """

    def __init__(self, clock: Clock, delay: float, jitter: float, loss: float) -> None:
        self._clock, self._delay, self._jitter, self._loss = clock, delay, jitter, loss
        self._random = np.random.default_rng(1)
        self._messages: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._last = 0.0

    def send(self, deliver: Callable[[], None], in_order: bool, sound: bool) -> None:
        late = self._jitter * float(self._random.choice([0.0, 0.0, 0.3, 1.0]))
        if sound and self._random.random() < self._loss:
            return
        due = self._clock.now() + self._delay + late
        if in_order:
            due = self._last = max(self._last, due)
        self._count += 1
        heapq.heappush(self._messages, (due, self._count, deliver))

    def deliver(self) -> None:
        """Deliver what is due."""
        while self._messages and self._messages[0][0] <= self._clock.now() + 1e-9:
            heapq.heappop(self._messages)[2]()


class Phone:
    """A client with a microphone, and a speaker of `rate` Hz whose callback takes `block` frames.

    It keeps `buffer` seconds of sound before it begins to play, and replaces lost sound by silence.
    """

    LATENCY = 0.04
    """Seconds from a callback until its first frame leaves the speaker."""

    def __init__(
        self,
        clock: Clock,
        rate: int,
        block: int,
        delay: float = 0.02,
        jitter: float = 0.03,
        loss: float = 0.0,
        buffer: float = 0.06,
    ) -> None:
        self.said = np.zeros(0, dtype=np.float32)
        """What is said in the room, from the start on, at 16 kHz."""
        self.played = np.zeros(0, dtype=np.float32)
        """What left the speaker."""
        self._clock, self._rate, self._block = clock, rate, block
        self._up, self._down = (Network(clock, delay, jitter, loss) for _ in range(2))
        self._hold = buffer
        self._origin = clock.now()
        self._link = ClientClock()
        self.source = RemoteSource(clock, self._link, "phone")
        self.sink = RemoteSink(clock, self._link, rate, "phone", self._sent)
        self._buffer = PlayoutBuffer(rate)
        self._end = 0
        """The number of the frame that is queued next."""
        self._added = 0
        """Frames played of what was replaced before the message came."""
        self._held_since: float | None = None
        self._reported = -math.inf
        self._since = -1
        self._recorded = 0
        clock.spawn(self._run, "phone")

    def heard(self, first: float, last: float) -> Samples:
        """What left the speaker between two session times, as the assistant knows the clock."""
        begin, end = (
            round((t - self._link.session_time(self.LATENCY)) * self._rate) for t in (first, last)
        )
        return self.played[max(0, begin) : end]

    def _sent(self, message: ToClient) -> None:
        sound = isinstance(message, PlayFrames)
        self._down.send(lambda: self._accept(message), in_order=True, sound=sound)

    def _accept(self, message: ToClient) -> None:
        if (lost := message.first - self._end) > 0:
            self._buffer.write(np.zeros(lost, dtype=np.float32))
            self._end += lost
        if isinstance(message, PlayFrames):
            self._buffer.write(message.samples)
            self._end += len(message.samples)
        if isinstance(message, ReplaceFrames):
            first, count = message.first + self._added, len(message.instead)
            begun = self._buffer.clear(first, message.instead, message.fade)
            self._added += max(0, begun - first - count)
            self._end = message.first + count

    def _run(self) -> None:
        blocks = 0
        while True:
            now = self._clock.now()
            self._up.deliver()
            self._down.deliver()
            self._play(now - self._origin)
            self._report(now - self._origin)
            self._record(now - self._origin)
            blocks += 1
            self._clock.sleep(self._origin + blocks * self._block / self._rate - self._clock.now())

    def _play(self, now: float) -> None:
        out = np.zeros((self._block, 1), dtype=np.float32)
        position, waiting = self._buffer.position(), self._buffer.waiting
        starved = position.starved == position.taken
        self._held_since = (self._held_since or now) if starved and waiting else None
        wait = (
            self._held_since is not None
            and waiting < self._hold * self._rate
            and now - self._held_since < self._hold
        )
        self._buffer.take(out, now + self.LATENCY, wait)
        self.played = np.concatenate([self.played, out[:, 0]])

    def _report(self, now: float) -> None:
        at = self._buffer.position()
        if at.since == self._since and now - self._reported < REPORT_INTERVAL:
            return
        self._since, self._reported = at.since, now
        added = self._added
        report = Position(
            at.taken - added, at.since - added, at.number - added, at.time, at.starved - added
        )
        self._up.send(lambda: self.sink.received(report, now), in_order=True, sound=False)

    def _record(self, now: float) -> None:
        while self._recorded + PACKET <= now * CAPTURE_RATE:
            first, self._recorded = self._recorded, self._recorded + PACKET
            samples = np.zeros(PACKET, dtype=np.float32)
            said = self.said[first : first + PACKET]
            samples[: len(said)] = said
            deliver = partial(self.source.received, first, samples)
            self._up.send(deliver, in_order=False, sound=True)
