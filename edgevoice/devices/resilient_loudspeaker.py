"""A speaker that outlasts the devices behind it."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np

from edgevoice.audio import Samples
from edgevoice.clock import Clock
from edgevoice.devices.device_slot import LEGS, DeviceSlot, Kind, SlotDevice
from edgevoice.errors import DeviceError, SpeakerAwayError
from edgevoice.protocols import AudioSink

GIVE_UP = 10.0
"""Seconds without a speaker after which a reply is not waited for any longer: who asked has gone on
to something else, and would be startled by the rest of it."""

AT_ONCE = 0.8
"""Seconds of sound that a speaker takes without waiting: twice what is written ahead to it."""


class OutputDevice(AudioSink, SlotDevice, Protocol):
    """A real speaker."""

    def settled(self) -> int:
        """How many samples had left it when its callback last came; never fails."""


class ResilientLoudspeaker(DeviceSlot[OutputDevice]):
    """AudioSink: a speaker that keeps what was not heard until there is one again.

    While there is none, `samples_played` does not change and `write` waits. After GIVE_UP seconds
    both raise SpeakerAwayError, as long as something is left that nobody has heard.
    """

    kind: Kind = "output"

    def __init__(
        self,
        clock: Clock,
        wanted: str,
        fallback: bool,
        open: Callable[[str], OutputDevice],
        rate: int,
    ) -> None:
        super().__init__(clock, wanted, fallback, open)
        self.rate = rate
        # (first number, device, what to add to the device's own number)
        self._legs: deque[tuple[int, OutputDevice, int]] = deque(maxlen=LEGS)
        self._kept: deque[tuple[int, Samples]] = deque()
        """What was written and not yet heard: number of the first sample, samples."""
        self._written = 0
        self._heard = 0
        self._stops = 0
        self._ducked = self._held = False
        self._missed = 0
        self._away: float | None = clock.now()
        """Since when there is no speaker."""
        self._stale = False
        """The machine has slept since what is kept was written."""

    @property
    def busy(self) -> bool:
        """Whether something is being heard."""
        return self._device is not None and self._heard < self._written

    def _put(self, device: OutputDevice) -> None:
        self._away = None
        self._note(self._written - int(AT_ONCE * self.rate))
        self._legs.append((self._heard, device, self._heard))
        # Should it fail again, it is looked after like any other.
        with contextlib.suppress(DeviceError):
            if self._ducked:
                device.duck(True)
            if self._held:
                device.pause()
            if self._kept:
                device.write(np.concatenate([samples for _, samples in self._kept]))

    def _taken(self, device: OutputDevice, slept: float) -> None:
        self._note(device.settled() + self._legs[-1][2])
        self._missed += device.underruns()
        self._away = self._clock.now()
        self._stale = slept > GIVE_UP and bool(self._kept)

    def _note(self, heard: int) -> None:
        """Forget the audio up to sample `heard`."""
        self._heard = max(self._heard, min(heard, self._written))
        while self._kept:
            number, samples = self._kept[0]
            if number + len(samples) > self._heard:
                if number < self._heard:
                    self._kept[0] = (self._heard, samples[self._heard - number :])
                return
            self._kept.popleft()

    def write(self, samples: Samples) -> int:
        with self._monitor:
            stops = self._stops

        def over() -> bool:
            return self._closed or self._stops != stops

        while True:
            with self._monitor:
                self._expect_soon(waiting=True)
                self._monitor.wait_for(lambda: over() or self._device is not None, self._patience())
                if over():
                    return self._written
                device = self._device
            if device is None:
                continue
            try:
                device.write(samples)
            except DeviceError as error:
                self._failed(device, error)
                continue
            with self._monitor:
                if over():
                    return self._written
                # Else it went into a device that has since been taken away, and with it the sound.
                if device is self._device:
                    number = self._written
                    self._kept.append((number, samples.copy()))
                    self._written += len(samples)
                    return number

    def samples_played(self) -> int:
        with self._monitor:
            device = self._device
            if device is None:
                self._expect_soon(waiting=self._heard < self._written)
                return self._heard
            if self._stale:
                self._expect_soon(waiting=True)
            try:
                self._note(device.samples_played() + self._legs[-1][2])
            except DeviceError as error:
                self._error = error
                self.wake()
            return self._heard

    def _patience(self) -> float | None:
        return None if self._away is None else self._away + GIVE_UP - self._clock.now()

    def _expect_soon(self, waiting: bool) -> None:
        """Raise SpeakerAwayError when who is waiting has waited long enough."""
        patience = self._patience()
        if self._stale or (waiting and patience is not None and patience <= 0):
            raise SpeakerAwayError(
                "there was no speaker for too long",
                where=self.name,
                remedy="plug it in again, and ask again",
            )

    def time_of(self, number: int) -> float:
        for first, device, add in reversed(self._legs):
            if first <= number:
                return device.time_of(number - add)
        return self._clock.now()

    def reference(self, time: float, count: int) -> Samples:
        found = np.zeros(count, dtype=np.float32)
        for _, device, _ in list(self._legs):
            found += device.reference(time, count)
        return found

    def stop(self) -> int:
        with self._monitor:
            self._stops += 1
            self._stale = self._ducked = self._held = False
            if (device := self._device) is not None:
                first, _, add = self._legs[-1]
                stopped = device.stop()
                self._note(stopped + add)
                # What was being written just now may have been heard without having been counted.
                self._legs[-1] = (first, device, self._heard - stopped)
            self._written = self._heard
            self._kept.clear()
            self._monitor.notify_all()
            return self._heard

    def duck(self, on: bool) -> None:
        with self._monitor:
            self._ducked = on
            if self._device is not None:
                self._device.duck(on)

    def pause(self) -> int:
        with self._monitor:
            self._held = True
            if self._device is None:
                return self._heard
            return self._device.pause() + self._legs[-1][2]

    def resume(self, again: int = 0) -> None:
        with self._monitor:
            self._held = False
            if self._device is not None:
                self._device.resume(again)

    def silent_before(self, number: int) -> bool:
        with self._monitor:
            if self._device is None:
                return True
            return self._device.silent_before(number - self._legs[-1][2])

    def underruns(self) -> int:
        device = self._device
        return self._missed + (device.underruns() if device is not None else 0)
