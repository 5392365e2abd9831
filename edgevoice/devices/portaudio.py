"""Microphones and speakers through PortAudio.

The callbacks run in PortAudio's own thread and only copy between the device and a preallocated
ring. Slower work runs in the thread that reads or writes the ring.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Frame, Samples
from edgevoice.clock import Clock
from edgevoice.devices import output_latency
from edgevoice.devices.callback_watchdog import CallbackWatchdog
from edgevoice.devices.keepalive_noise import KeepaliveNoise
from edgevoice.devices.listing import find, library
from edgevoice.devices.playout_buffer import PlayoutBuffer
from edgevoice.devices.ring import Ring
from edgevoice.devices.streams import close_stream, open_stream
from edgevoice.errors import DeviceError
from edgevoice.player import FADE_RAMP, NOTHING
from edgevoice.protocols import Position
from edgevoice.resample import Resampler

RING_SECONDS = 4.0
"""Seconds of microphone sound that wait for the reading thread before samples are lost."""

ORIGIN_WINDOW = 100
"""Callbacks over which the microphone's clock is matched to the session's: about a second."""

INPUT_LATENCY = 0.02
"""Latency in seconds requested from the microphone.

Its minimum saves 10 ms but causes 250 callbacks a second, which slow token generation by a tenth.
"""


class Microphone:
    """AudioSource: a PortAudio input at its own rate and channels, resampled to 16 kHz mono."""

    def __init__(self, clock: Clock, name: str = "") -> None:
        portaudio = library()
        device = find("input", name)
        self.name = device.name
        self._clock = clock
        self._rate = int(device.rate)
        channels = min(device.inputs, 2)
        self._ring = Ring(int(RING_SECONDS * self._rate), channels)
        self._block = np.zeros((self._rate // 10, channels), dtype=np.float32)
        self._resampler = Resampler(self._rate, CAPTURE_RATE, channels)
        self._pending = np.zeros(0, dtype=np.float32)
        self._index = 0
        self._origins = np.full(ORIGIN_WINDOW, np.inf)
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
            latency=INPUT_LATENCY,
            callback=self._callback,
        )

    def _callback(self, data: Any, frames: int, time: Any, status: Any) -> None:
        now = self._clock.now()
        # The session time of sample 0, by this block. A late callback can only make it later, so
        # `time_of` uses the earliest of the last second. Older ones fail once samples are lost.
        age = time.currentTime - time.inputBufferAdcTime
        self._origins[self._blocks % ORIGIN_WINDOW] = now - age - self._ring_time()
        self._blocks += 1
        self._ring.put(data)
        self._watchdog.last = now

    def _ring_time(self) -> float:
        return (self._ring.written + self._ring.lost) / self._rate

    def read(self) -> Frame | None:
        while len(self._pending) < FRAME_SAMPLES:
            if self._closed:
                return None
            count = self._ring.take(self._block)
            if count:
                new = self._resampler.push(self._block[:count])
                self._pending = (
                    np.concatenate([self._pending, new]) if len(self._pending) else new.copy()
                )
                continue
            if (error := self.failed()) is not None:
                raise error
            missing = (FRAME_SAMPLES - len(self._pending)) / CAPTURE_RATE
            self._clock.sleep(min(max(missing, 0.002), 0.02))
        frame = Frame(self._pending[:FRAME_SAMPLES], self._index)
        self._pending = self._pending[FRAME_SAMPLES:]
        self._index += FRAME_SAMPLES
        return frame

    def failed(self) -> DeviceError | None:
        """Why no more sound comes from it; None while it works."""
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
        return self._watchdog.running

    def overruns(self) -> int:
        """Frames at the device's rate that were lost because they were not read in time."""
        return self._ring.lost

    def time_of(self, index: int) -> float:
        return float(self._origins.min()) + index / CAPTURE_RATE

    def close(self) -> None:
        failed, self._closed = self.failed() is not None, True
        close_stream(self._stream, failed)


class Loudspeaker:
    """AudioSink: a PortAudio output that plays the same sound on up to two channels.

    `latency` in seconds; 0: the shortest that the device has played with. It runs at `rate` Hz, or
    at the device's own rate if that is 0. `lead` (seconds) and `hiss` are those of KeepaliveNoise.
    """

    def __init__(
        self,
        clock: Clock,
        name: str = "",
        latency: float = 0.06,
        rate: int = 0,
        lead: float = 0.0,
        hiss: bool = False,
    ) -> None:
        portaudio = library()
        device = find("output", name)
        self.name = device.name
        self.rate = rate or int(device.rate)
        self._clock = clock
        self._buffer = PlayoutBuffer(self.rate)
        self._scratch = np.zeros((self.rate, 1), dtype=np.float32)
        self._keepalive = KeepaliveNoise(self.rate, lead, hiss)
        self._underruns = 0
        self._closed = False
        self._watchdog = CallbackWatchdog(clock.now())
        self._stream = open_stream(
            portaudio.OutputStream,
            device,
            "output",
            samplerate=self.rate,
            channels=min(device.outputs, 2),
            dtype="float32",
            latency=latency or output_latency.of(device.name),
            callback=self._callback,
        )

    def _callback(self, out: Any, frames: int, time: Any, status: Any) -> None:
        now = self._clock.now()
        scratch = self._scratch[:frames]
        leaves = now + (time.outputBufferDacTime - time.currentTime)
        if status.output_underflow:
            self._buffer.interrupted()
        wait = self._keepalive.ahead(frames, self._buffer.waiting > 0)
        count = self._buffer.take(scratch, leaves, wait)
        out[:] = scratch
        self._keepalive.fill(out, count)
        if status.output_underflow and count:
            self._underruns += 1
        self._watchdog.last = now

    def write(self, samples: Samples) -> None:
        self._buffer.write(samples)

    def clear(self, first: int, instead: Samples, fade: int) -> int:
        return self._buffer.clear(first, instead, fade)

    def position(self) -> Position:
        if (error := self.failed()) is not None:
            raise error
        return self._buffer.position(self._underruns)

    def settled(self) -> int:
        """How many frames had left it at its last callback; never raises."""
        return self._buffer.position().played(self._watchdog.last, self.rate)

    def failed(self) -> DeviceError | None:
        """Why it plays no more sound; None while it works."""
        if self._closed or not (
            self._watchdog.stalled(self._clock.now()) or not self._stream.active
        ):
            return None
        return DeviceError(
            "the speaker stopped accepting sound",
            where=self.name,
            remedy="plug it in again, or choose another: `edgevoice devices`, then `--output NAME`",
        )

    def alive(self) -> bool:
        return self._watchdog.running

    def close(self) -> None:
        failed, self._closed = self.failed() is not None, True
        # Otherwise the device plays the queued sound before it stops.
        self._buffer.clear(0, NOTHING, round(FADE_RAMP * self.rate))
        close_stream(self._stream, failed)
