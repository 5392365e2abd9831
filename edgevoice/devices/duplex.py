"""An input and an output stream side by side, with the time of each sample at its device.

Each stream has its own callback, because the devices' clocks may differ. Samples of both are
matched by time.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from edgevoice.audio import Samples
from edgevoice.devices.listing import Device, find, library
from edgevoice.errors import DeviceError

DEVICE_RATE = 48_000
CALLBACK_FRAMES = 480
"""Frames in each callback: 10 ms. With fewer, a busy machine does not keep up."""

LATENCY = 0.02
"""Default latency in seconds requested from either device: the least that an idle machine keeps."""

REMEMBERED_CALLBACKS = 64
"""Callbacks whose times are kept; their median ignores those that come late."""

UPDATE_INTERVAL = 8
"""Callbacks from one median to the next; it is the slowest step in a callback."""

MAX_DRIFT = 0.004
"""Seconds by which the median must differ before the origin moves, after an underrun."""


class StreamTimes:
    """When each sample of a stream is at its device, in seconds of `time.monotonic`."""

    def __init__(self, rate: int = DEVICE_RATE) -> None:
        self._rate = rate
        self._origins = np.zeros(REMEMBERED_CALLBACKS)
        self._count = 0
        self.origin = 0.0
        """Time of sample 0."""

    @property
    def settled(self) -> bool:
        """Whether the times are reliable: from about half a second after the start."""
        return self._count >= REMEMBERED_CALLBACKS

    def note(self, number: int, at: float) -> None:
        """Note that sample `number` is at the device at time `at`, as the device reports it."""
        self._origins[self._count % REMEMBERED_CALLBACKS] = at - number / self._rate
        self._count += 1
        if self._count > REMEMBERED_CALLBACKS and self._count % UPDATE_INTERVAL:
            return
        middle = float(np.median(self._origins[: self._count]))
        if self._count <= REMEMBERED_CALLBACKS or abs(middle - self.origin) > MAX_DRIFT:
            self.origin = middle

    def time_of(self, number: int) -> float:
        return self.origin + number / self._rate

    def number_at(self, at: float) -> int:
        return round((at - self.origin) * self._rate)


class Duplex:
    """Passes an input's blocks to `on_input`, and has `fill_output` fill an output's blocks.

    Both get float32 [CALLBACK_FRAMES] at DEVICE_RATE Hz and the number of its first sample, in
    PortAudio's own threads. `input_name` and `output_name` are names for `find`; `latency` in
    seconds is requested from each device. Raises DeviceError.
    """

    def __init__(
        self,
        input_name: str,
        output_name: str,
        on_input: Callable[[Samples, int], None],
        fill_output: Callable[[Samples, int], None],
        latency: float = LATENCY,
    ) -> None:
        self.input, self.output = StreamTimes(), StreamTimes()
        self.dry = 0
        """Output callbacks that came too late."""
        self._on_input, self._fill_output = on_input, fill_output
        self._frames_in = self._frames_out = 0
        self._block = np.zeros(CALLBACK_FRAMES, dtype=np.float32)
        self._streams: list[Any] = []
        self._latency = latency
        portaudio = library()
        source, target = find("input", input_name), find("output", output_name)
        try:
            self._open(portaudio.InputStream, source, source.inputs, self._input_callback)
            self._open(portaudio.OutputStream, target, target.outputs, self._output_callback)
        except BaseException:
            self.close()
            raise

    def _open(self, make: Any, device: Device, channels: int, callback: Any) -> None:
        try:
            stream = make(
                device=device.index,
                samplerate=DEVICE_RATE,
                channels=min(channels, 2),
                dtype="float32",
                blocksize=CALLBACK_FRAMES,
                latency=self._latency,
                callback=callback,
            )
            self._streams.append(stream)
            stream.start()
        except (library().PortAudioError, ValueError) as error:
            raise DeviceError(
                f"the device could not be opened at {DEVICE_RATE} Hz: {error}",
                where=device.name,
                remedy="choose a loopback device of that rate: `edgevoice devices`",
            ) from None

    def _input_callback(self, data: Any, frames: int, at: Any, status: Any) -> None:
        self.input.note(self._frames_in, time.monotonic() + at.inputBufferAdcTime - at.currentTime)
        self._on_input(data[:, 0] if data.shape[1] == 1 else data.mean(axis=1), self._frames_in)
        self._frames_in += frames

    def _output_callback(self, out: Any, frames: int, at: Any, status: Any) -> None:
        self.output.note(
            self._frames_out, time.monotonic() + at.outputBufferDacTime - at.currentTime
        )
        self._block[:] = 0.0
        self._fill_output(self._block, self._frames_out)
        np.clip(self._block, -1.0, 1.0, out=self._block)
        out[:] = self._block[:, None]
        self._frames_out += frames
        self.dry += bool(status.output_underflow)

    def close(self) -> None:
        """Close both devices."""
        for stream in self._streams:
            with contextlib.suppress(Exception):
                stream.stop()
            with contextlib.suppress(Exception):
                stream.close()
