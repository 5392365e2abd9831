"""A speaker that accepts sound at a rate other than the device's."""

from __future__ import annotations

from dataclasses import replace

from edgevoice.audio import Samples
from edgevoice.devices.resilient_loudspeaker import OutputDevice
from edgevoice.errors import DeviceError
from edgevoice.protocols import Position
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
        """Frames written to the speaker, at its own rate."""

    def write(self, samples: Samples) -> None:
        if self._stream is None:
            self._stream = Resampler(self.rate, self._speaker.rate)
        self._written += len(samples)
        self._send(self._stream.push(samples))

    def _send(self, frames: Samples) -> None:
        if len(frames):
            self._speaker.write(frames)
            self._device_written += len(frames)

    def position(self) -> Position:
        position = self._speaker.position()
        waiting = self._device_written - position.taken
        if self._stream is not None and waiting < FLUSH_BELOW * self._speaker.rate:
            stream, self._stream = self._stream, None
            self._send(stream.flush())
        since, number = (round(n * self._ratio) for n in (position.since, position.number))
        taken, starved = self._from_device(position.taken), self._from_device(position.starved)
        return replace(position, taken=taken, since=since, number=number, starved=starved)

    def settled(self) -> int:
        return self._from_device(self._speaker.settled())

    def _from_device(self, frames: int) -> int:
        if self._stream is None and frames >= self._device_written:
            return self._written
        return min(self._written, round(frames * self._ratio))

    def clear(self, first: int, instead: Samples, fade: int) -> int:
        self._stream = None
        theirs = resample(instead, self.rate, self._speaker.rate)
        wanted = round(first / self._ratio)
        begun = self._speaker.clear(wanted, theirs, round(fade / self._ratio))
        begin = min(max(first, self._from_device(begun)), self._written)
        self._device_written = begun + max(0, len(theirs) - max(0, begun - wanted))
        self._written = begin + max(0, len(instead) - (begin - first))
        return begin

    def failed(self) -> DeviceError | None:
        return self._speaker.failed()

    def alive(self) -> bool:
        return self._speaker.alive()

    def close(self) -> None:
        self._speaker.close()
