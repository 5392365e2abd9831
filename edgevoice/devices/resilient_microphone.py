"""A microphone that outlasts the devices behind it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np

from edgevoice.audio import EAR_RATE, FRAME_SAMPLES, Frame
from edgevoice.clock import Clock
from edgevoice.devices.device_slot import LEGS, DeviceSlot, Kind, SlotDevice
from edgevoice.errors import DeviceError


class FrameSource(Protocol):
    """What frames come from; as an AudioSource, which tells more of each."""

    name: str

    def read(self) -> Frame | None: ...

    def time_of(self, index: int) -> float: ...

    def overruns(self) -> int: ...

    def close(self) -> None: ...


class InputDevice(FrameSource, SlotDevice, Protocol):
    """A real microphone."""


class SilentInput:
    """What is heard while there is no microphone: nothing, in real time, from now on."""

    name = "silence"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._origin = clock.now()
        self._index = 0

    def read(self) -> Frame | None:
        self._clock.sleep(self.time_of(self._index + FRAME_SAMPLES) - self._clock.now())
        frame = Frame(np.zeros(FRAME_SAMPLES, dtype=np.float32), self._index)
        self._index += FRAME_SAMPLES
        return frame

    def time_of(self, index: int) -> float:
        return self._origin + index / EAR_RATE

    def overruns(self) -> int:
        return 0

    def close(self) -> None:
        return None


class ResilientMicrophone(DeviceSlot[InputDevice]):
    """AudioSource: a microphone that hears silence while there is none.

    Frames go on being numbered, and where one device follows another, or silence, the number jumps
    by as much time as was lost, and by one frame at least: who listens can tell that what follows
    does not continue what was said.
    """

    kind: Kind = "input"

    def __init__(
        self, clock: Clock, wanted: str, fallback: bool, open: Callable[[str], InputDevice]
    ) -> None:
        super().__init__(clock, wanted, fallback, open)
        self._source: FrameSource = SilentInput(clock)
        # (first index, source, what to add to the source's own index)
        self._legs: deque[tuple[int, FrameSource, int]] = deque(maxlen=LEGS)
        self._next = 0
        self._lost = 0

    def _put(self, device: InputDevice) -> None:
        self._source = device

    def _taken(self, device: InputDevice, slept: float) -> None:
        self._lost += device.overruns()
        self._source = SilentInput(self._clock)

    def read(self) -> Frame | None:
        while not self._closed:
            source = self._source
            try:
                frame = source.read()
            except DeviceError as error:
                if not self.watched:
                    raise
                self._failed(source, error)
                continue
            if self._closed:
                break
            if frame is not None:
                return self._placed(source, frame)
            self._wait_for_another(source)
        return None

    def mute(self, on: bool) -> None:
        if on == self.muted:
            return
        self.muted = on
        if self.watched:
            self.wake()
        elif on:
            self.clear()
        else:
            self.fill()

    def _wait_for_another(self, source: FrameSource) -> None:
        """It was closed under us, and something else is about to be in its place."""
        with self._monitor:
            self._monitor.wait_for(lambda: self._closed or self._source is not source)

    def _placed(self, source: FrameSource, frame: Frame) -> Frame:
        if not self._legs:
            self._legs.append((0, source, -frame.index))
        elif self._legs[-1][1] is not source:
            late = source.time_of(frame.index) - self.time_of(self._next)
            first = self._next + max(FRAME_SAMPLES, round(late * EAR_RATE))
            self._legs.append((first, source, first - frame.index))
        index = frame.index + self._legs[-1][2]
        self._next = index + len(frame.samples)
        return Frame(frame.samples, index)

    def time_of(self, index: int) -> float:
        for first, source, add in reversed(self._legs):
            if first <= index:
                return source.time_of(index - add)
        return self._clock.now()

    def overruns(self) -> int:
        device = self._device
        return self._lost + (device.overruns() if device is not None else 0)
