"""A speaker that survives the loss of the device behind it."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np

from edgevoice.audio import Samples
from edgevoice.clock import Clock
from edgevoice.devices.device_slot import MAX_SEGMENTS, DeviceSlot, Kind, SlotDevice
from edgevoice.errors import DeviceError, SpeakerAwayError
from edgevoice.protocols import AudioSink

ABANDON_REPLY_AFTER = 10.0
"""Seconds without a speaker after which a reply is given up: its rest would come as a surprise."""

DEVICE_BUFFER = 0.8
"""Seconds of sound that a speaker accepts without waiting: twice portaudio.WRITE_AHEAD."""


class OutputDevice(AudioSink, SlotDevice, Protocol):
    """A speaker device."""

    def settled(self) -> int:
        """How many samples had left it at its last callback; never raises."""


class ResilientLoudspeaker(DeviceSlot[OutputDevice]):
    """AudioSink: keeps unheard samples while there is no speaker, and plays them on the next one.

    Meanwhile `samples_played` does not advance and `write` waits. After ABANDON_REPLY_AFTER seconds
    both raise SpeakerAwayError, if unheard samples are left. `rate` in Hz is that of all samples.
    """

    kind: Kind = "output"

    def __init__(
        self,
        clock: Clock,
        configured: str,
        fallback: bool,
        open: Callable[[str], OutputDevice],
        rate: int,
    ) -> None:
        super().__init__(clock, configured, fallback, open)
        self.rate = rate
        # (first number, device, what to add to the device's own number)
        self._segments: deque[tuple[int, OutputDevice, int]] = deque(maxlen=MAX_SEGMENTS)
        self._unheard: deque[tuple[int, Samples]] = deque()
        """Written but not yet heard: number of the first sample, samples."""
        self._written = 0
        self._heard = 0
        self._stops = 0
        self._ducked = self._held = False
        self._underruns = 0
        self._absent_since: float | None = clock.now()
        """Session time since which there is no speaker; None while there is one."""
        self._outdated_reply = False
        """Whether the machine was suspended since the unheard samples were written."""

    @property
    def busy(self) -> bool:
        """Whether sound is playing."""
        return self._device is not None and self._heard < self._written

    def _on_opened(self, device: OutputDevice) -> None:
        self._absent_since = None
        self._forget_heard(self._written - int(DEVICE_BUFFER * self.rate))
        self._segments.append((self._heard, device, self._heard))
        # If it fails at once, DeviceWatch reopens it like any other.
        with contextlib.suppress(DeviceError):
            if self._ducked:
                device.duck(True)
            if self._held:
                device.pause()
            if self._unheard:
                device.write(np.concatenate([samples for _, samples in self._unheard]))

    def _on_removed(self, device: OutputDevice, suspended: float) -> None:
        self._forget_heard(device.settled() + self._segments[-1][2])
        self._underruns += device.underruns()
        self._absent_since = self._clock.now()
        self._outdated_reply = suspended > ABANDON_REPLY_AFTER and bool(self._unheard)

    def _forget_heard(self, heard: int) -> None:
        """Drop what was heard, up to sample `heard`."""
        self._heard = max(self._heard, min(heard, self._written))
        while self._unheard:
            number, samples = self._unheard[0]
            if number + len(samples) > self._heard:
                if number < self._heard:
                    self._unheard[0] = (self._heard, samples[self._heard - number :])
                return
            self._unheard.popleft()

    def write(self, samples: Samples) -> int:
        with self._monitor:
            stops = self._stops

        def cancelled() -> bool:
            return self._closed or self._stops != stops

        while True:
            with self._monitor:
                self._raise_if_absent_too_long(waiting=True)
                self._monitor.wait_for(
                    lambda: cancelled() or self._device is not None, self._time_left()
                )
                if cancelled():
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
                if cancelled():
                    return self._written
                # Otherwise the device was removed meanwhile, and the sound with it.
                if device is self._device:
                    number = self._written
                    self._unheard.append((number, samples.copy()))
                    self._written += len(samples)
                    return number

    def samples_played(self) -> int:
        with self._monitor:
            device = self._device
            if device is None:
                self._raise_if_absent_too_long(waiting=self._heard < self._written)
                return self._heard
            if self._outdated_reply:
                self._raise_if_absent_too_long(waiting=True)
            try:
                self._forget_heard(device.samples_played() + self._segments[-1][2])
            except DeviceError as error:
                self._error = error
                self.request_check()
            return self._heard

    def _time_left(self) -> float | None:
        return (
            None
            if self._absent_since is None
            else self._absent_since + ABANDON_REPLY_AFTER - self._clock.now()
        )

    def _raise_if_absent_too_long(self, waiting: bool) -> None:
        """Raise SpeakerAwayError if a caller is `waiting` and no speaker came in time."""
        time_left = self._time_left()
        if self._outdated_reply or (waiting and time_left is not None and time_left <= 0):
            raise SpeakerAwayError(
                f"there was no speaker for {ABANDON_REPLY_AFTER:.0f} s",
                where=self.name,
                remedy="plug it in again, and ask again",
            )

    def time_of(self, number: int) -> float:
        for first, device, add in reversed(self._segments):
            if first <= number:
                return device.time_of(number - add)
        return self._clock.now()

    def reference(self, time: float, count: int) -> Samples:
        found = np.zeros(count, dtype=np.float32)
        for _, device, _ in list(self._segments):
            found += device.reference(time, count)
        return found

    def stop(self) -> int:
        with self._monitor:
            self._stops += 1
            self._outdated_reply = self._ducked = self._held = False
            if (device := self._device) is not None:
                first, _, add = self._segments[-1]
                stopped = device.stop()
                self._forget_heard(stopped + add)
                # Samples of a `write` in progress may have been heard without being counted.
                self._segments[-1] = (first, device, self._heard - stopped)
            self._written = self._heard
            self._unheard.clear()
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
            return self._device.pause() + self._segments[-1][2]

    def resume(self, again: int = 0) -> None:
        with self._monitor:
            self._held = False
            if self._device is not None:
                self._device.resume(again)

    def silent_before(self, number: int) -> bool:
        with self._monitor:
            if self._device is None:
                return True
            return self._device.silent_before(number - self._segments[-1][2])

    def underruns(self) -> int:
        device = self._device
        return self._underruns + (device.underruns() if device is not None else 0)
