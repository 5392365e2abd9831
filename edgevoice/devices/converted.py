"""A speaker that takes sound at another rate than its own."""

from __future__ import annotations

from edgevoice.audio import Samples
from edgevoice.devices.resilient_loudspeaker import OutputDevice
from edgevoice.errors import DeviceError
from edgevoice.resample import Resampler, resample

RUNNING_OUT = 0.1
"""Seconds of sound left at which what the converter holds back is let out: the few milliseconds of
its filter, which otherwise nobody would hear until something else is said."""


class Converted:
    """`speaker` as if its rate were `rate`; numbers and counts are at that rate."""

    def __init__(self, speaker: OutputDevice, rate: int) -> None:
        self.name = speaker.name
        self.rate = rate
        self._speaker = speaker
        self._ratio = rate / speaker.rate
        self._stream: Resampler | None = None
        self._written = 0
        self._theirs = 0
        """Samples the speaker was given."""

    def write(self, samples: Samples) -> int:
        if self._stream is None:
            self._stream = Resampler(self.rate, self._speaker.rate)
        number = self._written
        self._give(self._stream.push(samples))
        self._written += len(samples)
        return number

    def _give(self, samples: Samples) -> None:
        if len(samples):
            self._theirs = self._speaker.write(samples) + len(samples)

    def samples_played(self) -> int:
        heard = self._speaker.samples_played()
        if self._stream is not None and self._theirs - heard < RUNNING_OUT * self._speaker.rate:
            stream, self._stream = self._stream, None
            self._give(stream.flush())
        return self._ours(heard)

    def settled(self) -> int:
        return self._ours(self._speaker.settled())

    def _ours(self, theirs: int) -> int:
        if self._stream is None and theirs >= self._theirs:
            return self._written
        return min(self._written, round(theirs * self._ratio))

    def stop(self) -> int:
        self._stream = None
        self._theirs = self._speaker.stop()
        self._written = min(self._written, round(self._theirs * self._ratio))
        return self._written

    def duck(self, on: bool) -> None:
        self._speaker.duck(on)

    def pause(self) -> int:
        return self._ours(self._speaker.pause())

    def resume(self, again: int = 0) -> None:
        self._speaker.resume(round(again / self._ratio))

    def time_of(self, number: int) -> float:
        return self._speaker.time_of(round(number / self._ratio))

    def reference(self, time: float, count: int) -> Samples:
        theirs = self._speaker.reference(time, round(count / self._ratio))
        ours = resample(theirs, self._speaker.rate, self.rate)[:count]
        found = ours.copy()
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
