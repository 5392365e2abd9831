"""An input and an output side by side, and when each of their samples is at its device.

Both streams have callbacks of their own, as devices need not keep the same pace; what belongs
together is found by its time.
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

RATE = 48_000
BLOCK = 480
"""Frames that each callback gets: 10 ms. With fewer, a busy machine does not keep up."""

LATENCY = 0.02
"""Seconds asked of either device, unless another number is: as little as a machine keeps up with
that has not much else to do."""

REMEMBERED = 64
"""Callbacks whose times are weighed: their median, so that none that comes late counts."""

WEIGHED = 8
"""Callbacks from one weighing to the next, which takes longer than all else they do."""

OUT_OF_STEP = 0.004
"""Seconds by which the times must differ before the numbering is moved: a device that ran dry."""


class StreamTimes:
    """When each sample of a stream is at its device, in seconds of `time.monotonic`."""

    def __init__(self, rate: int = RATE) -> None:
        self._rate = rate
        self._origins = np.zeros(REMEMBERED)
        self._count = 0
        self.origin = 0.0
        """Time of sample 0."""

    @property
    def settled(self) -> bool:
        """Whether the times are to be relied on: from half a second after the beginning."""
        return self._count >= REMEMBERED

    def note(self, number: int, at: float) -> None:
        """Sample `number` is at the device at time `at`, as the device says."""
        self._origins[self._count % REMEMBERED] = at - number / self._rate
        self._count += 1
        if self._count > REMEMBERED and self._count % WEIGHED:
            return
        middle = float(np.median(self._origins[: self._count]))
        if self._count <= REMEMBERED or abs(middle - self.origin) > OUT_OF_STEP:
            self.origin = middle

    def time_of(self, number: int) -> float:
        return self.origin + number / self._rate

    def number_at(self, at: float) -> int:
        return round((at - self.origin) * self._rate)


class Duplex:
    """Gives `hear` what one device hears and has `speak` fill what another plays.

    Both get float32 [BLOCK] at RATE Hz and the number of its first sample, in PortAudio's own
    threads; `hears` and `speaks` are the devices as `find` takes them, each asked
    for `latency` seconds. Raises DeviceError.
    """

    def __init__(
        self,
        hears: str,
        speaks: str,
        hear: Callable[[Samples, int], None],
        speak: Callable[[Samples, int], None],
        latency: float = LATENCY,
    ) -> None:
        self.input, self.output = StreamTimes(), StreamTimes()
        self.dry = 0
        """How often the output was not served in time."""
        self._hear, self._speak = hear, speak
        self._heard = self._spoken = 0
        self._block = np.zeros(BLOCK, dtype=np.float32)
        self._streams: list[Any] = []
        self._latency = latency
        portaudio = library()
        source, target = find("input", hears), find("output", speaks)
        try:
            self._open(portaudio.InputStream, source, source.inputs, self._take)
            self._open(portaudio.OutputStream, target, target.outputs, self._give)
        except BaseException:
            self.close()
            raise

    def _open(self, make: Any, device: Device, channels: int, callback: Any) -> None:
        try:
            stream = make(
                device=device.index,
                samplerate=RATE,
                channels=min(channels, 2),
                dtype="float32",
                blocksize=BLOCK,
                latency=self._latency,
                callback=callback,
            )
            self._streams.append(stream)
            stream.start()
        except (library().PortAudioError, ValueError) as error:
            raise DeviceError(
                f"the device could not be opened at {RATE} Hz: {error}",
                where=device.name,
                remedy="`edgevoice devices` lists them; choose a loopback device of that rate",
            ) from None

    def _take(self, data: Any, frames: int, at: Any, status: Any) -> None:
        self.input.note(self._heard, time.monotonic() + at.inputBufferAdcTime - at.currentTime)
        self._hear(data[:, 0] if data.shape[1] == 1 else data.mean(axis=1), self._heard)
        self._heard += frames

    def _give(self, out: Any, frames: int, at: Any, status: Any) -> None:
        self.output.note(self._spoken, time.monotonic() + at.outputBufferDacTime - at.currentTime)
        self._block[:] = 0.0
        self._speak(self._block, self._spoken)
        np.clip(self._block, -1.0, 1.0, out=self._block)
        out[:] = self._block[:, None]
        self._spoken += frames
        self.dry += bool(status.output_underflow)

    def close(self) -> None:
        """Let go of both devices."""
        for stream in self._streams:
            with contextlib.suppress(Exception):
                stream.stop()
            with contextlib.suppress(Exception):
                stream.close()
