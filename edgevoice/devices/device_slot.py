"""A slot that holds one device, which may disappear and return.

DeviceWatch (watch.py) opens and closes the device in its own thread. A reader then gets silence
and a writer waits; neither handles the device itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Literal, Protocol, TypeVar

from edgevoice.clock import Clock
from edgevoice.devices.names import shown_name
from edgevoice.errors import DeviceError

DeviceKind = Literal["input", "output"]

MAX_SEGMENTS = 4
"""Devices whose sample times are remembered, the present one included."""


class SlotDevice(Protocol):
    """A device that DeviceWatch can monitor."""

    name: str

    def close(self) -> None: ...

    def failed(self) -> DeviceError | None:
        """Why it can no longer be used; None while it can."""

    def alive(self) -> bool:
        """Whether its callbacks have come for long enough to count as working."""


D = TypeVar("D", bound=SlotDevice)


class DeviceSlot(Generic[D]):
    """Holds one device of one kind.

    `open` opens a device by name, or the system's default device for "", and raises DeviceError.
    `configured` is the name in the settings; with `fallback` the default device may replace it.
    """

    kind: DeviceKind

    def __init__(
        self, clock: Clock, configured: str, fallback: bool, open: Callable[[str], D]
    ) -> None:
        self.configured = configured
        self.fallback = fallback
        self.is_fallback = False
        """Whether the default device replaces the configured one."""
        self.outdated = False
        """Whether the system's default device has changed since this one was opened."""
        self.name = configured
        """The name of the present device for people, or of the last one."""
        self._clock = clock
        self._open = open
        self._monitor = clock.monitor()
        self._device: D | None = None
        self._error: DeviceError | None = None
        self._closed = False
        self.muted = False
        """Whether the user muted it: no device is opened."""
        self.watched = False
        """Whether a DeviceWatch opens and closes its devices."""
        self.request_check: Callable[[], None] = lambda: None
        """Called when the device has failed; asks the watch to check at once."""
        self.unwatch: Callable[[], None] = lambda: None
        """Called on close; returns once the watch no longer uses the slot."""

    @property
    def present(self) -> bool:
        """Whether a device is open."""
        return self._device is not None

    @property
    def alive(self) -> bool:
        """Whether a device is open and works."""
        device = self._device
        return device is not None and device.alive()

    def failed(self) -> DeviceError | None:
        """Why the open device can no longer be used; None while it can, or without a device."""
        device = self._device
        if device is None:
            return None
        return self._error or device.failed()

    def wants_reopening(self) -> bool:
        """Whether to open the device again while nobody speaks, in another way."""
        return False

    def fill(self, strictly: bool = False) -> None:
        """Open a device and use it; with `strictly`, only the configured one.

        Raises DeviceError about the configured device.
        """
        try:
            device, is_fallback = self._open(self.configured), False
        except DeviceError as error:
            if strictly or not self.configured or not self.fallback:
                raise
            try:
                device, is_fallback = self._open(""), True
            except DeviceError:
                raise error from None
        name = shown_name(self.kind, device.name)
        with self._monitor:
            if self._closed:
                device.close()
                return
            self.name = name
            if self.configured.isdigit() and not is_fallback:
                # Device numbers change each time devices are listed.
                self.configured = device.name
            self.is_fallback = is_fallback
            self._error = None
            self._device = device
            self._on_opened(device)
            self._monitor.notify_all()

    def empty(self, suspended: float = 0.0) -> None:
        """Close the device; the clock left out `suspended` seconds of suspension."""
        with self._monitor:
            device, self._device = self._device, None
            if device is not None:
                self._on_removed(device, suspended)
            self._monitor.notify_all()
        if device is not None:
            device.close()

    def close(self) -> None:
        with self._monitor:
            if self._closed:
                return
            self._closed = True
            self._monitor.notify_all()
        self.unwatch()
        self.empty()

    def _failed(self, device: object, error: DeviceError) -> None:
        """Note that `device` has failed, and wait until it is removed."""
        with self._monitor:
            if device is not self._device:
                return
            self._error = error
        self.request_check()
        with self._monitor:
            self._monitor.wait_for(lambda: self._closed or self._device is not device)

    def _on_opened(self, device: D) -> None:
        raise NotImplementedError

    def _on_removed(self, device: D, suspended: float) -> None:
        raise NotImplementedError
