"""Real microphones and speakers, through PortAudio.

The callbacks run in PortAudio's own thread and only copy between the device and a preallocated
ring; whatever takes longer happens in the thread that reads or writes the ring.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgevoice.audio import EAR_RATE, FRAME_SAMPLES, Frame, Samples
from edgevoice.clock import Clock
from edgevoice.devices.callback_watchdog import CallbackWatchdog
from edgevoice.devices.keepalive_noise import KeepaliveNoise
from edgevoice.devices.listing import find, library
from edgevoice.devices.played_history import PlayedHistory
from edgevoice.devices.playout_buffer import PlayoutBuffer
from edgevoice.devices.ring import Ring
from edgevoice.devices.streams import close_stream, open_stream
from edgevoice.devices.volume import DUCKED
from edgevoice.errors import DeviceError
from edgevoice.resample import Resampler

RING_SECONDS = 4.0
"""How long the reading thread may be held up before microphone samples are lost."""

ORIGINS = 100
"""Callbacks over which the microphone's clock is matched to ours: about a second."""

EAR_LATENCY = 0.02
"""Seconds of sound that the microphone is asked to hand over at a time.

As little as it offers would be heard 10 ms sooner, but then it wakes us 250 times a second, and
each token of a language model that computes on all cores takes a tenth longer.
"""

AHEAD = 0.4
"""Seconds of sound the speaker's ring takes before `write` waits."""


class Microphone:
    """AudioSource: a PortAudio input at its own rate and channels, resampled to 16 kHz mono."""

    def __init__(self, clock: Clock, wanted: str = "") -> None:
        portaudio = library()
        device = find("input", wanted)
        self.name = device.name
        self._clock = clock
        self._rate = int(device.rate)
        channels = min(device.inputs, 2)
        self._ring = Ring(int(RING_SECONDS * self._rate), channels)
        self._block = np.zeros((self._rate // 10, channels), dtype=np.float32)
        self._resampler = Resampler(self._rate, EAR_RATE, channels)
        self._rest = np.zeros(0, dtype=np.float32)
        self._index = 0
        self._origins = np.full(ORIGINS, np.inf)
        self._blocks = 0
        self._closed = False
        self._watchdog = CallbackWatchdog(clock.now())
        self._stream = open_stream(
            portaudio.InputStream,
            device,
            "input",
            samplerate=self._rate,
            channels=channels,
            dtype="float32",
            latency=EAR_LATENCY,
            callback=self._callback,
        )

    def _callback(self, data: Any, frames: int, time: Any, status: Any) -> None:
        now = self._clock.now()
        # The session time of sample 0, as this block tells it: when its first sample was at the
        # microphone, less the sound before it. A late callback only ever makes that later, so the
        # earliest of the last second is taken; older ones no longer hold once samples were lost.
        ahead = time.currentTime - time.inputBufferAdcTime
        self._origins[self._blocks % ORIGINS] = now - ahead - self._ring_time()
        self._blocks += 1
        self._ring.put(data)
        self._watchdog.last = now

    def _ring_time(self) -> float:
        return (self._ring.written + self._ring.lost) / self._rate

    def read(self) -> Frame | None:
        while len(self._rest) < FRAME_SAMPLES:
            if self._closed:
                return None
            count = self._ring.take(self._block)
            if count:
                new = self._resampler.push(self._block[:count])
                self._rest = np.concatenate([self._rest, new]) if len(self._rest) else new.copy()
                continue
            if (error := self.failed()) is not None:
                raise error
            missing = (FRAME_SAMPLES - len(self._rest)) / EAR_RATE
            self._clock.sleep(min(max(missing, 0.002), 0.02))
        frame = Frame(self._rest[:FRAME_SAMPLES], self._index)
        self._rest = self._rest[FRAME_SAMPLES:]
        self._index += FRAME_SAMPLES
        return frame

    def failed(self) -> DeviceError | None:
        """Why there is nothing to be heard from it any more."""
        if self._closed or not (
            self._watchdog.stalled(self._clock.now()) or not self._stream.active
        ):
            return None
        return DeviceError(
            "the microphone stopped sending sound",
            where=self.name,
            remedy="plug it in again, or choose another: `edgevoice devices`, then `--input NAME`",
        )

    def alive(self) -> bool:
        return self._watchdog.beats

    def overruns(self) -> int:
        """Frames of the device that were lost because nobody took them."""
        return self._ring.lost

    def time_of(self, index: int) -> float:
        return float(self._origins.min()) + index / EAR_RATE

    def close(self) -> None:
        failed, self._closed = self.failed() is not None, True
        close_stream(self._stream, failed)


class Loudspeaker:
    """AudioSink: a PortAudio output, the same sound on up to two channels.

    At its own rate, or at `rate` Hz where that is given and the device can. `lead` and `hiss` wake
    it and keep it awake (rousing.py).
    """

    def __init__(
        self,
        clock: Clock,
        wanted: str = "",
        latency: float = 0.06,
        ducked: float = DUCKED,
        rate: int = 0,
        lead: float = 0.0,
        hiss: bool = False,
    ) -> None:
        portaudio = library()
        device = find("output", wanted)
        self.name = device.name
        self.rate = rate or int(device.rate)
        self._clock = clock
        self._queue = PlayoutBuffer(self.rate, AHEAD, ducked)
        self._scratch = np.zeros((self.rate, 1), dtype=np.float32)
        self._past = PlayedHistory(self.rate)
        self._keepalive = KeepaliveNoise(self.rate, lead, hiss)
        self._missed = 0
        self._stops = 0
        self._closed = False
        self._watchdog = CallbackWatchdog(clock.now())
        self._stream = open_stream(
            portaudio.OutputStream,
            device,
            "output",
            samplerate=self.rate,
            channels=min(device.outputs, 2),
            dtype="float32",
            latency=latency,
            callback=self._callback,
        )

    def _callback(self, out: Any, frames: int, time: Any, status: Any) -> None:
        now = self._clock.now()
        scratch = self._scratch[:frames]
        leaves = now + (time.outputBufferDacTime - time.currentTime)
        if self._keepalive.ahead(frames, self._queue.waiting > 0):
            count = 0
            scratch[:] = 0.0
        else:
            count = self._queue.take(scratch, leaves)
        out[:] = scratch
        self._keepalive.fill(out, count)
        if status.output_underflow:
            self._past.interrupted()
        self._past.put(scratch[:, 0], leaves)
        if status.output_underflow and count:
            self._missed += 1
        self._watchdog.last = now

    def write(self, samples: Samples) -> int:
        stops = self._stops
        limit = int(AHEAD * self.rate)
        number = self._queue.written
        for start in range(0, len(samples), limit):
            while self._queue.waiting > limit:
                self._check()
                if self._closed or self._stops != stops:
                    return number
                self._clock.sleep(0.01)
            if self._closed or self._stops != stops:
                return number
            self._queue.put(samples[start : start + limit])
        return number

    def failed(self) -> DeviceError | None:
        """Why it can no longer be heard."""
        if self._closed or not (
            self._watchdog.stalled(self._clock.now()) or not self._stream.active
        ):
            return None
        return DeviceError(
            "the speaker stopped taking sound",
            where=self.name,
            remedy="plug it in again, or choose another: `edgevoice devices`, then `--output NAME`",
        )

    def alive(self) -> bool:
        return self._watchdog.beats

    def _check(self) -> None:
        if (error := self.failed()) is not None:
            raise error

    def samples_played(self) -> int:
        self._check()
        return self._queue.samples_played(self._clock.now())

    def settled(self) -> int:
        """How many samples had left it when its callback last came; never fails."""
        return self._queue.samples_played(self._watchdog.last)

    def time_of(self, number: int) -> float:
        return self._queue.time_of(number)

    def reference(self, time: float, count: int) -> Samples:
        return self._past.at(time, count)

    def stop(self) -> int:
        self._stops += 1
        return self._queue.stop()

    def duck(self, on: bool) -> None:
        self._queue.duck(on)

    def pause(self) -> int:
        return self._queue.pause()

    def resume(self, again: int = 0) -> None:
        self._queue.resume(again)

    def silent_before(self, number: int) -> bool:
        return self._queue.silent_before(number)

    def underruns(self) -> int:
        return self._missed

    def close(self) -> None:
        failed, self._closed = self.failed() is not None, True
        # What has not been taken yet would be played before the device stops.
        self._queue.stop()
        close_stream(self._stream, failed)
