"""Microphone and speaker made of sound at hand, paced in the clock's own time.

They carry conversations from files, the demo's synthesized user, and every pipeline test on the
virtual clock: the pipeline cannot tell them from devices.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from edgevoice.audio import EAR_RATE, FRAME_SAMPLES, Frame, Samples
from edgevoice.clock import Clock
from edgevoice.devices.playout_buffer import AGAIN
from edgevoice.devices.volume import DUCK, DUCKED, FADE, Volume

GAP = 0.6
"""Seconds of quiet between the end of one exchange and the next clip."""

AHEAD = 0.5
"""Seconds of sound the paced speaker takes before `write` waits."""

KEPT = 3.0
"""Seconds for which the paced speaker remembers what it played."""


class SimulatedSource:
    """Plays clips (float32 [n] at 16 kHz) as a microphone, each once the turn before is over.

    `idle` tells whether the assistant is ready and has nothing to do. Before each clip there are
    `gap` seconds of silence in which it is; before the first there are none if it is to come
    `at_once`. After the last one the source ends as if another one were to come.
    """

    def __init__(
        self,
        clock: Clock,
        clips: Iterator[Samples],
        idle: Callable[[], bool],
        name: str,
        gap: float = GAP,
        *,
        at_once: bool = False,
    ) -> None:
        self.name = name
        self._clock = clock
        self._clips = clips
        self._idle = idle
        self._gap = gap
        self._waits = not at_once
        self._origin: float | None = None
        self._index = 0
        self._rest = np.zeros(0, dtype=np.float32)
        self._quiet = 0.0
        self._muted = False
        self._closed = False

    def read(self) -> Frame | None:
        if self._origin is None:
            self._origin = self._clock.now()
        due = self.time_of(self._index + FRAME_SAMPLES)
        self._clock.sleep(due - self._clock.now())
        if self._closed or not self._refill():
            return None
        samples = np.zeros(FRAME_SAMPLES, dtype=np.float32)
        taken = self._rest[:FRAME_SAMPLES]
        samples[: len(taken)] = 0.0 if self._muted else taken
        self._rest = self._rest[FRAME_SAMPLES:]
        frame = Frame(samples, self._index)
        self._index += FRAME_SAMPLES
        return frame

    def _refill(self) -> bool:
        if len(self._rest):
            self._quiet = 0.0
            return True
        self._quiet = self._quiet + FRAME_SAMPLES / EAR_RATE if self._idle() else 0.0
        if self._waits and self._quiet < self._gap:
            return True
        self._waits = True
        clip = next(self._clips, None)
        if clip is None:
            return False
        self._rest = clip
        return True

    def time_of(self, index: int) -> float:
        return (self._origin or 0.0) + index / EAR_RATE

    def overruns(self) -> int:
        return 0

    def mute(self, on: bool) -> None:
        self._muted = on

    def close(self) -> None:
        self._closed = True


class Writer(Protocol):
    """Takes what was heard, in order, float32 [n]."""

    def write(self, samples: Samples) -> None: ...

    def close(self) -> None: ...


class SimulatedSink:
    """A speaker whose time is the clock's; what it played goes to `writer`, silences included.

    The recording begins when the sink is made, so that it lies on the same time axis as the
    session.
    """

    def __init__(
        self,
        clock: Clock,
        rate: int,
        name: str,
        writer: Writer | None = None,
        ducked: float = DUCKED,
    ) -> None:
        self.name = name
        self.rate = rate
        self._clock = clock
        self._monitor = clock.monitor()
        self._writer = writer
        self._origin = clock.now()
        self._written = 0
        # (number, time): from this sample on, without a gap until the next anchor.
        self._anchors: list[tuple[int, float]] = [(0, self._origin)]
        # (number, samples): what is to be heard, and what may be heard again.
        self._queue: deque[tuple[int, Samples]] = deque()
        # (time, samples): what has lately left the speaker from that time on, as it did.
        self._past: deque[tuple[float, Samples]] = deque()
        self._volume = Volume(rate, rate)
        self._ducked = ducked
        self._level = 1.0
        self._held: int | None = None
        self._reached = 0
        self._passed = 0
        """The number of the first sample that has not been played yet, or is to be again."""
        self._recorded = 0
        self._stops = 0
        self._closed = False
        self._broken = False

    def write(self, samples: Samples) -> int:
        with self._monitor:
            self._play()
            stops = self._stops
            while not (self._closed or self._stops != stops) and self._ahead() > 0:
                self._wait_for_room(stops)
            number = self._written
            if self._closed or self._stops != stops:
                return number
            now = self._clock.now()
            if self._held is None and self.time_of(number) <= now:
                self._anchors.append((number, now))
            self._written += len(samples)
            self._queue.append((number, samples.copy()))
            return number

    def _wait_for_room(self, stops: int) -> None:
        held = self._held
        self._monitor.wait_for(
            lambda: self._closed or self._stops != stops or self._held != held,
            None if held is not None else self._ahead() / self.rate,
        )

    def _ahead(self) -> int:
        """Samples by which the writer is further ahead than it may be."""
        return self._written - self._heard() - int(AHEAD * self.rate)

    def samples_played(self) -> int:
        with self._monitor:
            return self._heard()

    def _heard(self) -> int:
        return max(self._reached, self._now())

    def _now(self) -> int:
        """The number of the sample that is due now."""
        if self._held is not None:
            return self._held
        number, time = self._anchors[-1]
        # Rounded to the nearest sample: at the very time a sample is due, it counts.
        return min(self._written, number + round((self._clock.now() - time) * self.rate))

    def time_of(self, number: int) -> float:
        for first, time in reversed(self._anchors):
            if first <= number:
                return time + (number - first) / self.rate
        return self._origin

    def reference(self, time: float, count: int) -> Samples:
        found = np.zeros(count, dtype=np.float32)
        with self._monitor:
            self._play()
            known = round((self._clock.now() - time) * self.rate)
            for began, samples in self._past:
                at = round((began - time) * self.rate)
                first, last = max(at, 0), min(at + len(samples), count, known)
                if first < last:
                    found[first:last] = samples[first - at : last - at]
        return found

    def stop(self) -> int:
        with self._monitor:
            self._stops += 1
            self._fade_out()
            self._written = self._passed = self._heard()
            self._queue.clear()
            self._held = None
            self._volume.now = self._level = 1.0
            self._monitor.notify_all()
            return self._written

    def duck(self, on: bool) -> None:
        with self._monitor:
            self._play()
            self._level = self._ducked if on else 1.0

    def pause(self) -> int:
        with self._monitor:
            if self._held is None:
                self._fade_out()
                self._held = self._now()
                self._monitor.notify_all()
            return self._held

    def resume(self, again: int = 0) -> None:
        with self._monitor:
            if self._held is None:
                return
            self._reached = max(self._reached, self._held)
            first = self._queue[0][0] if self._queue else self._held
            self._passed = max(first, self._held - max(0, again))
            self._anchors.append((self._passed, self._clock.now()))
            self._held = None
            self._monitor.notify_all()

    def silent_before(self, number: int) -> bool:
        first, time = self._anchors[-1]
        if first != number or len(self._anchors) < 2:
            return False
        before, since = self._anchors[-2]
        return time - since > (first - before + 0.5) / self.rate

    def underruns(self) -> int:
        return 0

    def close(self) -> None:
        with self._monitor:
            if self._closed:
                return
            self.stop()
            self._closed = True
            if self._writer is not None:
                try:
                    self._fill(self._clock.now())
                finally:
                    self._writer.close()

    def _play(self) -> None:
        """Let out what was due up to now, as loud as it was to be."""
        now = self._now()
        for number, samples in self._queue:
            first, last = max(self._passed - number, 0), min(now - number, len(samples))
            if first < last:
                quieter = DUCK if self._volume.now >= self._ducked else FADE
                self._let_out(self.time_of(number + first), samples[first:last], quieter)
        self._passed = max(self._passed, now)
        while self._queue and self._queue[0][0] + len(self._queue[0][1]) < now - AGAIN * self.rate:
            self._queue.popleft()

    def _fade_out(self) -> None:
        """What leaves the speaker in the next moment, on the way to silence."""
        self._play()
        level, self._level = self._level, 0.0
        for number, samples in self._queue:
            first = max(self._passed - number, 0)
            last = min(len(samples), first + self._volume.way(0.0, FADE))
            if first < last and self._held is None:
                self._let_out(self.time_of(number + first), samples[first:last], FADE)
        self._level, self._volume.now = level, 0.0

    def _let_out(self, time: float, samples: Samples, seconds: float) -> None:
        sound = samples.copy()
        for start in range(0, len(sound), self.rate):
            self._volume.apply(sound[start : start + self.rate], self._level, seconds)
        self._past.append((time, sound))
        while (
            self._past
            and self._past[0][0] + len(self._past[0][1]) / self.rate < self._clock.now() - KEPT
        ):
            self._past.popleft()
        if self._writer is not None:
            self._fill(time)
            self._keep(sound)

    def _fill(self, until: float) -> None:
        missing = round((until - self._origin) * self.rate) - self._recorded
        if self._writer is not None and missing > 1:
            # In pieces: the silence before a first question may be minutes long.
            for size in [self.rate] * (missing // self.rate) + [missing % self.rate]:
                self._keep(np.zeros(size, dtype=np.float32))

    def _keep(self, samples: Samples) -> None:
        if self._writer is None or self._broken:
            return
        try:
            self._writer.write(samples)
        except Exception:
            # Told once, by whoever comes here first; what was written until then is still closed.
            self._broken = True
            raise
        self._recorded += len(samples)
