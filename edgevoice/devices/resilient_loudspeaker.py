"""A speaker that survives the loss of the device behind it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from edgevoice.audio import Samples
from edgevoice.clock import Clock
from edgevoice.devices.device_slot import DeviceKind, DeviceSlot, SlotDevice
from edgevoice.errors import DeviceError, SpeakerAwayError
from edgevoice.protocols import AudioSink, Position
from edgevoice.sample_log import SampleLog

ABANDON_REPLY_AFTER = 10.0
"""Seconds without a speaker after which a reply is given up: its rest would come as a surprise."""

REMEMBERED_SECONDS = 1.0
"""Seconds of frames that a lost device may have taken without playing them."""


class OutputDevice(AudioSink, SlotDevice, Protocol):
    """A speaker device."""

    def settled(self) -> int:
        """How many frames had left it at its last callback; never raises."""


class ResilientLoudspeaker(DeviceSlot[OutputDevice]):
    """AudioSink: keeps unheard frames while there is no speaker, and plays them on the next one.

    Meanwhile its position does not advance. After ABANDON_REPLY_AFTER seconds `write` raises
    SpeakerAwayError, and `position` if unheard frames are left. `rate` in Hz is that of all frames.
    """

    kind: DeviceKind = "output"

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
        self.lengthen: Callable[[str], bool] = lambda _: False
        """Remembers a longer buffer for the named device; False if there is none."""
        self._add = 0
        """What to add to the device's own frame numbers."""
        self._unheard = SampleLog()
        """Frames that may have to be played again, on another device."""
        self._position = Position(0, 0, 0, math.inf, -1)
        """The last known one."""
        self._underruns = 0
        """Those of earlier devices."""
        self._absent_since: float | None = clock.now()
        """Session time since which there is no speaker; None while there is one."""
        self._outdated_reply = False
        """Whether the machine was suspended since the unheard frames were written."""

    @property
    def busy(self) -> bool:
        """Whether sound is playing."""
        with self._monitor:
            self._look()
            played = self._position.played(self._clock.now(), self.rate)
            return self._device is not None and played < self._unheard.end

    def wants_reopening(self) -> bool:
        with self._monitor:
            # An error is noted where the position is needed.
            gaps = self._look() is None and self._position.underruns > self._underruns
            device = self._device
        # By the name that it is opened with, not the one that people are shown.
        return device is not None and gaps and self.lengthen(device.name)

    def _on_opened(self, device: OutputDevice) -> None:
        if self._given_up():
            self._position = replace(self._position, taken=self._unheard.end)
        self._absent_since = None
        self._add = self._position.taken
        unheard = self._unheard.between(self._add, self._unheard.end)
        # If it fails at once, DeviceWatch reopens it like any other.
        if len(unheard) and not self._outdated_reply:
            with contextlib.suppress(DeviceError):
                device.write(unheard)

    def _on_removed(self, device: OutputDevice, suspended: float) -> None:
        self._look()
        heard = min(self._unheard.end, max(self._unheard.first, device.settled() + self._add))
        # What it had taken and not played yet is played by the next device.
        self._position = replace(self._position, taken=heard, starved=heard)
        self._underruns = self._position.underruns
        self._absent_since = self._clock.now()
        self._outdated_reply = suspended > ABANDON_REPLY_AFTER and heard < self._unheard.end

    def _look(self) -> DeviceError | None:
        """Read the device's position; returns why that failed."""
        device, add = self._device, self._add
        if device is None:
            return None
        try:
            now = device.position()
        except DeviceError as error:
            return error
        self._position = Position(
            now.taken + add,
            now.since + add,
            now.number + add,
            now.time,
            now.starved + add,
            now.underruns + self._underruns,
        )
        self._unheard.forget(self._position.taken - int(REMEMBERED_SECONDS * self.rate))
        return None

    def write(self, samples: Samples) -> None:
        with self._monitor:
            self._raise_if_given_up(waiting=True)
            self._unheard.append(samples)
            if (device := self._device) is not None and not self._outdated_reply:
                try:
                    device.write(samples)
                except DeviceError as error:
                    self._note(error)

    def position(self) -> Position:
        with self._monitor:
            if (error := self._look()) is not None:
                self._note(error)
            self._raise_if_given_up(waiting=self._position.taken < self._unheard.end)
            return self._position

    def clear(self, first: int, instead: Samples, fade: int) -> int:
        with self._monitor:
            if (device := self._device) is not None:
                begin = device.clear(max(0, first - self._add), instead, fade) + self._add
            else:
                begin = min(max(first, self._position.taken), self._unheard.end)
            self._unheard.cut(begin)
            self._unheard.append(instead[max(0, begin - first) :])
            if begin == self._unheard.end:
                self._outdated_reply = False
            return begin

    def _note(self, error: DeviceError) -> None:
        """Have DeviceWatch reopen the device, which has failed."""
        self._error = error
        self.request_check()

    def _given_up(self) -> bool:
        absent = self._absent_since
        return absent is not None and self._clock.now() - absent >= ABANDON_REPLY_AFTER

    def _raise_if_given_up(self, waiting: bool) -> None:
        """Raise SpeakerAwayError if frames are `waiting` and no speaker came in time."""
        if waiting and (self._outdated_reply or self._given_up()):
            raise SpeakerAwayError(
                f"there was no speaker for {ABANDON_REPLY_AFTER:.0f} s",
                where=self.name,
                remedy="plug it in again, and ask again",
            )
