"""A simulated microphone and speaker that run in the clock's time.

They serve conversations from files, the demo's synthesized user, and pipeline tests on the virtual
clock. To the pipeline they behave like devices.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from edgevoice.audio import EAR_RATE, FRAME_SAMPLES, Frame, Samples
from edgevoice.clock import Clock
from edgevoice.devices.playout_buffer import MAX_REPLAY
from edgevoice.devices.volume import DUCK_RAMP, DUCKED_LEVEL, FADE_RAMP, Volume

CLIP_GAP = 0.6
"""Seconds of silence between the end of one exchange and the next clip."""

WRITE_AHEAD = 0.5
"""Seconds of sound queued for the simulated speaker before `write` waits."""

HISTORY_SECONDS = 3.0
"""Seconds of its output that the simulated speaker remembers."""


class SimulatedSource:
    """AudioSource of clips (float32 [n] at 16 kHz), each after the exchange before it has ended.

    `idle` returns whether the assistant is ready and has nothing to do. Before each clip come
    `gap` seconds of silence while it is idle; with `at_once`, the first clip comes without. After
    the last clip the source ends where the next clip would begin.
    """

    def __init__(
        self,
        clock: Clock,
        clips: Iterator[Samples],
        idle: Callable[[], bool],
        name: str,
        gap: float = CLIP_GAP,
        *,
        at_once: bool = False,
    ) -> None:
        self.name = name
        self._clock = clock
        self._clips = clips
        self._idle = idle
        self._gap = gap
        self._wait_first = not at_once
        self._origin: float | None = None
        self._index = 0
        self._pending = np.zeros(0, dtype=np.float32)
        self._idle_seconds = 0.0
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
        taken = self._pending[:FRAME_SAMPLES]
        samples[: len(taken)] = 0.0 if self._muted else taken
        self._pending = self._pending[FRAME_SAMPLES:]
        frame = Frame(samples, self._index)
        self._index += FRAME_SAMPLES
        return frame

    def _refill(self) -> bool:
        if len(self._pending):
            self._idle_seconds = 0.0
            return True
        self._idle_seconds = self._idle_seconds + FRAME_SAMPLES / EAR_RATE if self._idle() else 0.0
        if self._wait_first and self._idle_seconds < self._gap:
            return True
        self._wait_first = True
        clip = next(self._clips, None)
        if clip is None:
            return False
        self._pending = clip
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
    """Records sound, float32 [n], in order."""

    def write(self, samples: Samples) -> None: ...

    def close(self) -> None: ...


class SimulatedSink:
    """AudioSink in the clock's time, at `rate` Hz; `writer` records its output with silences.

    The recording starts when the sink is made, so its time axis is that of the session.
    """

    def __init__(
        self,
        clock: Clock,
        rate: int,
        name: str,
        writer: Writer | None = None,
        ducked: float = DUCKED_LEVEL,
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
        # (number, samples): to be played, or to be played again after a pause.
        self._queue: deque[tuple[int, Samples]] = deque()
        # (time, samples): recent output, from that session time on.
        self._history: deque[tuple[float, Samples]] = deque()
        self._volume = Volume(rate, rate)
        self._ducked = ducked
        self._target = 1.0
        self._held: int | None = None
        self._max_heard = 0
        self._next = 0
        """The number of the next sample to play."""
        self._samples_recorded = 0
        self._stops = 0
        self._closed = False
        self._write_failed = False

    def write(self, samples: Samples) -> int:
        with self._monitor:
            self._play()
            stops = self._stops
            while not (self._closed or self._stops != stops) and self._excess() > 0:
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
            None if held is not None else self._excess() / self.rate,
        )

    def _excess(self) -> int:
        """Samples queued beyond WRITE_AHEAD."""
        return self._written - self._heard() - int(WRITE_AHEAD * self.rate)

    def samples_played(self) -> int:
        with self._monitor:
            return self._heard()

    def _heard(self) -> int:
        return max(self._max_heard, self._due())

    def _due(self) -> int:
        """The number of the sample due now."""
        if self._held is not None:
            return self._held
        number, time = self._anchors[-1]
        # Rounded to the nearest sample, so that a sample counts at exactly its time.
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
            for began, samples in self._history:
                at = round((began - time) * self.rate)
                first, last = max(at, 0), min(at + len(samples), count, known)
                if first < last:
                    found[first:last] = samples[first - at : last - at]
        return found

    def stop(self) -> int:
        with self._monitor:
            self._stops += 1
            self._fade_out()
            self._written = self._next = self._heard()
            self._queue.clear()
            self._held = None
            self._volume.now = self._target = 1.0
            self._monitor.notify_all()
            return self._written

    def duck(self, on: bool) -> None:
        with self._monitor:
            self._play()
            self._target = self._ducked if on else 1.0

    def pause(self) -> int:
        with self._monitor:
            if self._held is None:
                self._fade_out()
                self._held = self._due()
                self._monitor.notify_all()
            return self._held

    def resume(self, again: int = 0) -> None:
        with self._monitor:
            if self._held is None:
                return
            self._max_heard = max(self._max_heard, self._held)
            first = self._queue[0][0] if self._queue else self._held
            self._next = max(first, self._held - max(0, again))
            self._anchors.append((self._next, self._clock.now()))
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
                    self._record_silence(self._clock.now())
                finally:
                    self._writer.close()

    def _play(self) -> None:
        """Emit what was due up to now, at its volume."""
        now = self._due()
        for number, samples in self._queue:
            first, last = max(self._next - number, 0), min(now - number, len(samples))
            if first < last:
                quieter = DUCK_RAMP if self._volume.now >= self._ducked else FADE_RAMP
                self._emit(self.time_of(number + first), samples[first:last], quieter)
        self._next = max(self._next, now)
        while (
            self._queue
            and self._queue[0][0] + len(self._queue[0][1]) < now - MAX_REPLAY * self.rate
        ):
            self._queue.popleft()

    def _fade_out(self) -> None:
        """Emit a short fade to silence."""
        self._play()
        level, self._target = self._target, 0.0
        for number, samples in self._queue:
            first = max(self._next - number, 0)
            last = min(len(samples), first + self._volume.ramp_length(0.0, FADE_RAMP))
            if first < last and self._held is None:
                self._emit(self.time_of(number + first), samples[first:last], FADE_RAMP)
        self._target, self._volume.now = level, 0.0

    def _emit(self, time: float, samples: Samples, seconds: float) -> None:
        sound = samples.copy()
        for start in range(0, len(sound), self.rate):
            self._volume.apply(sound[start : start + self.rate], self._target, seconds)
        self._history.append((time, sound))
        while (
            self._history
            and self._history[0][0] + len(self._history[0][1]) / self.rate
            < self._clock.now() - HISTORY_SECONDS
        ):
            self._history.popleft()
        if self._writer is not None:
            self._record_silence(time)
            self._record(sound)

    def _record_silence(self, until: float) -> None:
        missing = round((until - self._origin) * self.rate) - self._samples_recorded
        if self._writer is not None and missing > 1:
            # In blocks: the silence before a first question may be minutes long.
            for size in [self.rate] * (missing // self.rate) + [missing % self.rate]:
                self._record(np.zeros(size, dtype=np.float32))

    def _record(self, samples: Samples) -> None:
        if self._writer is None or self._write_failed:
            return
        try:
            self._writer.write(samples)
        except Exception:
            # Raised once; afterwards the writer is only closed.
            self._write_failed = True
            raise
        self._samples_recorded += len(samples)
