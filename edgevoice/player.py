"""The player: all that playback needs of a speaker, over any sink, however simple or far away.

A sink plays numbered frames. The player renders the samples it is given to frames: more quietly
while ducked, none while paused, some of them twice after a pause. So samples and frames have
numbers of their own.
"""

from __future__ import annotations

import contextlib
import math
from collections import deque
from collections.abc import Iterator
from functools import partial

import numpy as np

from edgevoice.audio import Samples
from edgevoice.clock import Clock
from edgevoice.errors import DeviceError
from edgevoice.protocols import AudioSink, Position
from edgevoice.sample_log import SampleLog

WRITE_AHEAD = 0.4
"""Seconds of sound queued in the sink before `write` waits."""

MAX_REPLAY = 1.0
"""Seconds before a pause that can be played again after it."""

HISTORY_SECONDS = 3.0
"""Seconds of played sound that are remembered."""

FADE_RAMP = 0.01
"""Seconds from full volume to silence or back: short, but long enough not to click."""

DUCK_RAMP = 0.03
"""Seconds from full volume to silence at the slope used for ducking."""

DUCKED_LEVEL = 0.25
"""Default volume factor while ducked: -12 dB."""

POLL = 0.1
"""Longest wait in seconds for room in the sink before its position is read again."""

MAX_STRETCHES = 16
"""Stretches of sound between two silences whose times are remembered."""

NOTHING = np.zeros(0, dtype=np.float32)


class Player:
    """Plays samples, numbered from 0 in the order written, through a sink.

    `ducked` is the volume factor of `duck`. All methods may be called from any thread, `write` and
    `replace` by samples from one thread at a time. Only where it is said do they raise DeviceError
    when the device is lost, and SpeakerAwayError when it may return but this reply must not wait.
    """

    def __init__(self, clock: Clock, sink: AudioSink, ducked: float = DUCKED_LEVEL) -> None:
        self._clock = clock
        self._sink = sink
        self._ducked = ducked
        self.ahead = WRITE_AHEAD
        """Seconds of sound queued in the sink before `write` waits; may be changed at any time."""
        self._volume = 1.0
        self._loudness = 1.0
        self._monitor = clock.monitor()
        self._samples = SampleLog()
        """What was written, to be played, or played again."""
        self._frames = SampleLog()
        """What the sink was given, as loud as it is."""
        self._offsets: deque[tuple[int, int]] = deque([(0, 0)], MAX_STRETCHES)
        """Newest first: from this frame on, frames are the samples from this number on."""
        self._stretches: deque[tuple[int, int, float]] = deque(maxlen=MAX_STRETCHES)
        """Newest first: `since`, `number` and `time` of a Position."""
        self._fades: deque[tuple[float, Samples]] = deque(maxlen=MAX_STRETCHES)
        """Sound that faded out after it was dropped: session time of the first sample, samples."""
        self._last = Position(0, 0, 0, math.inf, -1)
        self._paused: int | None = None
        """While paused, the first sample that is not played yet."""
        self._silenced = 0
        """The frame at which `pause` or `stop` last silenced the sink: no underrun."""
        self._max_played = 0
        """Samples played before a replay; `samples_played` never returns less."""
        self._stops = 0
        self._closed = False

    @property
    def name(self) -> str:
        """The name of the sink."""
        return self._sink.name

    @property
    def rate(self) -> int:
        """Sample rate in Hz; playback resamples to it."""
        return self._sink.rate

    def write(self, samples: Samples) -> int:
        """Append float32 [n] mono samples to the queue; wait for room.

        Returns the number of the first sample. Returns early, and drops samples, once `stop` or
        `replace` is called from another thread. Raises DeviceError, SpeakerAwayError.
        """
        with self._monitor:
            return self._write(samples, self._stops)

    def _write(self, samples: Samples, stops: int) -> int:
        number = self._samples.end
        size = int(WRITE_AHEAD * self.rate)
        for start in range(0, len(samples), size):
            if not self._wait_for_room(stops):
                return self._samples.end
            part = samples[start : start + size].copy()
            if self._paused is None:
                frames = self._rendered(part)
                self._sink.write(frames)
                self._frames.append(frames)
            self._samples.append(part)
        return number

    def _wait_for_room(self, stops: int) -> bool:
        """Wait until at most `ahead` seconds are queued; false once playback is stopped."""

        def stopped() -> bool:
            return self._closed or self._stops != stops

        def stopped_or_paused_anew(paused: int | None) -> bool:
            return stopped() or self._paused != paused

        while not stopped():
            self._look()
            excess = self._samples.end - self._next_sample() - int(self.ahead * self.rate)
            if excess <= 0:
                return True
            paused = self._paused
            self._monitor.wait_for(
                partial(stopped_or_paused_anew, paused),
                POLL if paused is not None else min(POLL, max(0.005, excess / self.rate)),
            )
        return False

    def _next_sample(self) -> int:
        """The first sample that can still be dropped."""
        return self._sample_of(self._last.taken) if self._paused is None else self._paused

    def _rendered(self, samples: Samples) -> Samples:
        factor = self._volume * self._loudness
        return samples if factor == 1.0 else samples * np.float32(factor)

    def _look(self) -> None:
        """Read the sink's position. Raises DeviceError, SpeakerAwayError."""
        position = self._last = self._sink.position()
        if position.time != math.inf:
            if self._stretches and self._stretches[0][0] == position.since:
                self._stretches.popleft()
            self._stretches.appendleft((position.since, position.number, position.time))
        self._frames.forget(position.taken - int(HISTORY_SECONDS * self.rate))
        self._samples.forget(self._next_sample() - int(MAX_REPLAY * self.rate))

    @contextlib.contextmanager
    def _looking(self) -> Iterator[None]:
        """Hold the monitor, with the sink's last known position."""
        with self._monitor:
            with contextlib.suppress(DeviceError):
                self._look()
            yield

    def _sample_of(self, frame: int) -> int:
        begin, sample = next((o for o in self._offsets if o[0] <= frame), self._offsets[-1])
        return sample + frame - begin

    def _frame_of(self, sample: int) -> int:
        frame, begin = next((o for o in self._offsets if o[1] <= sample), self._offsets[-1])
        return frame + sample - begin

    def samples_played(self) -> int:
        """Number of written samples that have left the speaker by now.

        Raises DeviceError, SpeakerAwayError.
        """
        with self._monitor:
            self._look()
            return max(self._max_played, self._sample_of(self._frames_played()))

    def _frames_played(self) -> int:
        played, now = self._last.taken, self._clock.now()
        for since, number, time in self._stretches:
            by_then = number + round((now - time) * self.rate)
            if by_then >= since:
                return min(played, by_then)
            # The frames after that silence are still inside the device.
            played = min(played, since)
        return 0

    def time_of(self, number: int) -> float:
        """Session time in seconds at which sample `number` leaves, or will leave, the speaker."""
        with self._looking():
            return self._time_of_frame(self._frame_of(number))

    def _time_of_frame(self, frame: int) -> float:
        if not self._stretches:
            return self._clock.now()
        _, known, time = next((s for s in self._stretches if s[0] <= frame), self._stretches[-1])
        return time + (frame - known) / self.rate

    def reference(self, time: float, count: int) -> Samples:
        """float32 [count] at `rate` Hz that left the speaker from session time `time` on.

        The reference for echo cancellation. Zeros where nothing was played, and where it is not yet
        known or, after two seconds, no longer known.
        """
        found = np.zeros(count, dtype=np.float32)
        with self._looking():
            end = self._last.taken
            for since, number, at in self._stretches:
                # Frame n is sample n - begin of `found`.
                begin = number + round((time - at) * self.rate)
                first, last = max(since, begin, self._frames.first), min(end, begin + count)
                if first < last:
                    found[first - begin : last - begin] += self._frames.between(first, last)
                end = min(end, since)
            for at, fade in self._fades:
                begin = round((at - time) * self.rate)
                first, last = max(0, begin), min(count, begin + len(fade))
                if first < last:
                    found[first:last] += fade[first - begin : last - begin]
        return found

    @property
    def loudness(self) -> float:
        """Volume factor of everything that is played, from 0 to 1."""
        return self._loudness

    @loudness.setter
    def loudness(self, factor: float) -> None:
        # What is queued already is played as it is: less than half a second.
        self._loudness = factor

    def duck(self, on: bool) -> None:
        """Play more quietly, or as loudly as before."""
        volume = self._ducked if on else 1.0
        with self._looking():
            if volume == self._volume:
                return
            seconds, self._volume = abs(volume - self._volume) * DUCK_RAMP, volume
            if self._paused is None:
                first = self._next_sample()
                rest = self._samples.between(first, self._samples.end)
                if len(rest):
                    self._replace_frames(self._frame_of(first), rest, seconds)

    def pause(self) -> int:
        """Fade out within 10 ms and keep the queue; `samples_played` does not change from then on.

        Returns the number of the first sample that is not played yet.
        """
        with self._looking():
            if self._paused is None:
                self._silenced = self._replace_frames(0, NOTHING, FADE_RAMP)
                self._paused = self._sample_of(self._silenced)
                self._monitor.notify_all()
            return self._paused

    def resume(self, again: int = 0) -> None:
        """Continue after `pause`: after the last sample played, or from `again` samples before.

        Samples that are played twice count once.
        """
        with self._looking():
            if self._paused is None:
                return
            self._max_played = max(self._max_played, self._paused)
            again = max(0, min(again, int(MAX_REPLAY * self.rate)))
            first = max(self._paused - again, self._samples.first)
            self._paused = None
            self._offsets.appendleft((self._frames.end, first))
            rest = self._samples.between(first, self._samples.end)
            self._replace_frames(self._frames.end, rest, FADE_RAMP)
            self._monitor.notify_all()

    def stop(self) -> int:
        """Stop at once and drop the queue; returns the number of samples played until then.

        Numbers continue from there: the next write returns this value. Ends `duck` and `pause`.
        """
        with self._looking():
            self._stops += 1
            frame = self._silenced = self._replace_frames(0, NOTHING, FADE_RAMP)
            played = max(self._max_played, self._sample_of(frame))
            self._samples.cut(min(played, self._samples.end))
            self._offsets.appendleft((frame, played))
            self._paused, self._volume = None, 1.0
            self._monitor.notify_all()
            return played

    def droppable(self) -> int:
        """Number of the first sample that can still be dropped or replaced."""
        with self._looking():
            return self._next_sample()

    def replace(self, number: int, samples: Samples) -> int:
        """Play float32 [n] instead of what was written from sample `number` on; wait for room.

        Returns the number of the first sample replaced: what can no longer be dropped stays, and as
        many of `samples` are left out. Raises DeviceError, SpeakerAwayError.
        """
        with self._looking():
            # A write that waits would go on behind what is replaced.
            self._stops += 1
            stops = self._stops
            number = min(number, self._samples.end)
            # More than this may not fit in the sink.
            now = samples[: int(WRITE_AHEAD * self.rate)]
            if self._paused is None:
                frame = self._frame_of(number)
                first = number + self._replace_frames(frame, now, FADE_RAMP) - frame
            else:
                first = max(number, self._paused)
            self._samples.cut(first)
            self._samples.append(now[first - number :].copy())
            self._write(samples[max(len(now), first - number) :], stops)
            return first

    def _replace_frames(self, frame: int, samples: Samples, seconds: float) -> int:
        """Replace what the sink has not played yet from `frame` on; returns the first replaced."""
        fade, frames = round(seconds * self.rate), self._rendered(samples)
        first = self._sink.clear(frame, frames, fade)
        frames = frames[max(0, first - frame) :].copy()
        old = self._frames.between(first, first + fade)
        rise = np.arange(1, fade + 1, dtype=np.float32) / np.float32(max(1, fade))
        if len(old):
            self._fades.appendleft(
                (self._time_of_frame(first), old * (np.float32(1) - rise[: len(old)]))
            )
        frames[:fade] *= rise[: len(frames)]
        self._frames.cut(first)
        self._frames.append(frames)
        return first

    def silent_before(self, number: int) -> bool:
        """Whether the queue ran empty, so that silence was played, before sample `number`.

        Silence after `pause` or `stop` does not count. Call it right after the write that returned
        `number`.
        """
        with self._looking():
            return self._silenced != self._last.starved == self._frame_of(number)

    def underruns(self) -> int:
        """How often the device got no samples in time, and played silence, so far."""
        with self._looking():
            return self._last.underruns

    def close(self) -> None:
        """Stop and release the device."""
        with self._monitor:
            self._closed = True
            self._monitor.notify_all()
        self._sink.close()
