"""A speaker that accepts sound at a rate other than the device's."""

from __future__ import annotations

from edgevoice.audio import Samples
from edgevoice.devices.resilient_loudspeaker import OutputDevice
from edgevoice.errors import DeviceError
from edgevoice.resample import Resampler, resample

FLUSH_BELOW = 0.1
"""Seconds of queued sound below which the resampler is flushed; otherwise the last milliseconds,
which its filter holds back, would wait for the next reply."""


class Converted:
    """An OutputDevice at `rate` Hz in front of `speaker`; numbers and counts are at `rate`."""

    def __init__(self, speaker: OutputDevice, rate: int) -> None:
        self.name = speaker.name
        self.rate = rate
        self._speaker = speaker
        self._ratio = rate / speaker.rate
        self._stream: Resampler | None = None
        self._written = 0
        self._device_written = 0
        """Samples written to the speaker, at its own rate."""

    def write(self, samples: Samples) -> int:
        if self._stream is None:
            self._stream = Resampler(self.rate, self._speaker.rate)
        number = self._written
        self._send(self._stream.push(samples))
        self._written += len(samples)
        return number

    def _send(self, samples: Samples) -> None:
        if len(samples):
            self._device_written = self._speaker.write(samples) + len(samples)

    def samples_played(self) -> int:
        heard = self._speaker.samples_played()
        if (
            self._stream is not None
            and self._device_written - heard < FLUSH_BELOW * self._speaker.rate
        ):
            stream, self._stream = self._stream, None
            self._send(stream.flush())
        return self._from_device(heard)

    def settled(self) -> int:
        return self._from_device(self._speaker.settled())

    def _from_device(self, device_samples: int) -> int:
        if self._stream is None and device_samples >= self._device_written:
            return self._written
        return min(self._written, round(device_samples * self._ratio))

    def stop(self) -> int:
        self._stream = None
        self._device_written = self._speaker.stop()
        self._written = min(self._written, round(self._device_written * self._ratio))
        return self._written

    def duck(self, on: bool) -> None:
        self._speaker.duck(on)

    def pause(self) -> int:
        return self._from_device(self._speaker.pause())

    def resume(self, again: int = 0) -> None:
        self._speaker.resume(round(again / self._ratio))

    def time_of(self, number: int) -> float:
        return self._speaker.time_of(round(number / self._ratio))

    def reference(self, time: float, count: int) -> Samples:
        device_samples = self._speaker.reference(time, round(count / self._ratio))
        converted = resample(device_samples, self._speaker.rate, self.rate)[:count]
        found = converted.copy()
        found.resize(count, refcheck=False)
        return found

    def silent_before(self, number: int) -> bool:
        return self._speaker.silent_before(round(number / self._ratio))

    def underruns(self) -> int:
        return self._speaker.underruns()

    def failed(self) -> DeviceError | None:
        return self._speaker.failed()

    def alive(self) -> bool:
        return self._speaker.alive()

    def close(self) -> None:
        self._speaker.close()
