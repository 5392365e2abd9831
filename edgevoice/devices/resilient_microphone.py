"""A microphone that survives the loss of the device behind it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np

from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Frame
from edgevoice.clock import Clock
from edgevoice.devices.device_slot import MAX_SEGMENTS, DeviceKind, DeviceSlot, SlotDevice
from edgevoice.errors import DeviceError


class FrameSource(Protocol):
    """A source of frames: the part of an AudioSource that devices and silence share."""

    name: str

    def read(self) -> Frame | None: ...

    def time_of(self, index: int) -> float: ...

    def overruns(self) -> int: ...

    def close(self) -> None: ...


class InputDevice(FrameSource, SlotDevice, Protocol):
    """A microphone device."""


class SilentInput:
    """Silence in real time, which replaces an absent microphone."""

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
        return self._origin + index / CAPTURE_RATE

    def overruns(self) -> int:
        return 0

    def close(self) -> None:
        return None


class ResilientMicrophone(DeviceSlot[InputDevice]):
    """AudioSource: delivers silence while there is no microphone.

    At each change between devices and silence, the frame index jumps by the time lost, at least by
    one frame, so that readers know the sound does not continue.
    """

    kind: DeviceKind = "input"

    def __init__(
        self, clock: Clock, configured: str, fallback: bool, open: Callable[[str], InputDevice]
    ) -> None:
        super().__init__(clock, configured, fallback, open)
        self._source: FrameSource = SilentInput(clock)
        # (first index, source, what to add to the source's own index)
        self._segments: deque[tuple[int, FrameSource, int]] = deque(maxlen=MAX_SEGMENTS)
        self._next = 0
        self._lost = 0

    def _on_opened(self, device: InputDevice) -> None:
        self._source = device

    def _on_removed(self, device: InputDevice, suspended: float) -> None:
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
                return self._renumbered(source, frame)
            self._wait_for_replacement(source)
        return None

    def mute(self, on: bool) -> None:
        if on == self.muted:
            return
        self.muted = on
        if self.watched:
            self.request_check()
        elif on:
            self.empty()
        else:
            self.fill()

    def _wait_for_replacement(self, source: FrameSource) -> None:
        """Wait until `source`, which was closed, is replaced."""
        with self._monitor:
            self._monitor.wait_for(lambda: self._closed or self._source is not source)

    def _renumbered(self, source: FrameSource, frame: Frame) -> Frame:
        if not self._segments:
            self._segments.append((0, source, -frame.index))
        elif self._segments[-1][1] is not source:
            lost = source.time_of(frame.index) - self.time_of(self._next)
            first = self._next + max(FRAME_SAMPLES, round(lost * CAPTURE_RATE))
            self._segments.append((first, source, first - frame.index))
        index = frame.index + self._segments[-1][2]
        self._next = index + len(frame.samples)
        return Frame(frame.samples, index)

    def time_of(self, index: int) -> float:
        for first, source, add in reversed(self._segments):
            if first <= index:
                return source.time_of(index - add)
        return self._clock.now()

    def overruns(self) -> int:
        device = self._device
        return self._lost + (device.overruns() if device is not None else 0)
