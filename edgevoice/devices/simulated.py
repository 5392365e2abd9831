"""A simulated microphone and speaker that run in the clock's time.

They serve conversations from files, the demo's synthesized user, and pipeline tests on the virtual
clock. To the pipeline they behave like devices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Frame, Samples
from edgevoice.clock import Clock
from edgevoice.devices.playout_buffer import PlayoutBuffer
from edgevoice.player import FADE_RAMP, NOTHING
from edgevoice.protocols import Position

CLIP_GAP = 0.6
"""Seconds of silence between the end of one exchange and the next clip."""


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
        self._idle_seconds = (
            self._idle_seconds + FRAME_SAMPLES / CAPTURE_RATE if self._idle() else 0.0
        )
        if self._wait_first and self._idle_seconds < self._gap:
            return True
        self._wait_first = True
        clip = next(self._clips, None)
        if clip is None:
            return False
        self._pending = clip
        return True

    def time_of(self, index: int) -> float:
        return (self._origin or 0.0) + index / CAPTURE_RATE

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

    It plays whenever it is used, all that was due until then. The recording starts when the sink
    is made, so its time axis is that of the session.
    """

    def __init__(self, clock: Clock, rate: int, name: str, writer: Writer | None = None) -> None:
        self.name = name
        self.rate = rate
        self._clock = clock
        self._monitor = clock.monitor()
        self._writer = writer
        self._origin = clock.now()
        self._buffer = PlayoutBuffer(rate)
        self._block = np.zeros((rate, 1), dtype=np.float32)
        self._played = 0
        """Frames of output so far, silence included."""
        self._closed = False
        self._write_failed = False

    def write(self, samples: Samples) -> None:
        with self._monitor:
            self._play()
            if not self._closed:
                self._buffer.write(samples)
            self._play()

    def position(self) -> Position:
        with self._monitor:
            self._play()
            return self._buffer.position()

    def clear(self, first: int, instead: Samples, fade: int) -> int:
        with self._monitor:
            self._play()
            begin = self._buffer.clear(first, instead, fade)
            self._play()
            return begin

    def close(self) -> None:
        with self._monitor:
            if self._closed:
                return
            try:
                # What plays now fades out, so that the recording does not end in a click.
                fade = round(FADE_RAMP * self.rate) if self._buffer.waiting else 0
                self.clear(0, NOTHING, fade)
                self._play(fade)
            finally:
                self._closed = True
                if self._writer is not None:
                    self._writer.close()

    def _play(self, more: int = 0) -> None:
        """Play what was due up to now, and `more` frames."""
        # The next frame never leaves before it was written; it leaves at most a frame later.
        due = math.ceil((self._clock.now() - self._origin) * self.rate - 1e-3) + more
        while True:
            # Even if nothing is due, the time of the next frame is noted.
            block = self._block[: min(max(0, due - self._played), self.rate)]
            self._buffer.take(block, self._origin + self._played / self.rate)
            self._played += len(block)
            if not self._closed:
                self._record(block[:, 0].copy())
            if self._played >= due:
                return

    def _record(self, samples: Samples) -> None:
        if self._writer is None or self._write_failed or not len(samples):
            return
        try:
            self._writer.write(samples)
        except Exception:
            # Raised once; afterwards the writer is only closed.
            self._write_failed = True
            raise
