"""A place for a device that may come and go.

A device is put into it and taken out again by the watch (watch.py), in a thread of its own; whoever
reads or writes only notices that there is nothing to hear, or that nobody listens yet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Literal, Protocol, TypeVar

from edgevoice.clock import Clock
from edgevoice.errors import DeviceError

Kind = Literal["input", "output"]

LEGS = 4
"""Devices whose times are remembered, the present one included."""


class SlotDevice(Protocol):
    """What a device must tell so that it can be looked after."""

    name: str

    def close(self) -> None: ...

    def failed(self) -> DeviceError | None:
        """Why it can no longer be used; None while it can."""

    def alive(self) -> bool:
        """Whether its callback has come for a while."""


D = TypeVar("D", bound=SlotDevice)


class DeviceSlot(Generic[D]):
    """A place for a device of one kind. `open` opens the one that is named, or the system's default
    where the name is empty, and raises DeviceError.

    `wanted` is what the settings name; with `fallback` the default one may stand in for it.
    """

    kind: Kind

    def __init__(self, clock: Clock, wanted: str, fallback: bool, open: Callable[[str], D]) -> None:
        self.wanted = wanted
        self.fallback = fallback
        self.standing_in = False
        """Whether the device is the default one, in the place of the one that is wanted."""
        self.outdated = False
        """Whether the system has another default device by now."""
        self.name = wanted
        """The device that is here, or was here last."""
        self._clock = clock
        self._open = open
        self._monitor = clock.monitor()
        self._device: D | None = None
        self._error: DeviceError | None = None
        self._closed = False
        self.muted = False
        """Whether there is to be no device here, for the user wants none."""
        self.watched = False
        """Whether somebody looks after it, and opens and closes its devices."""
        self.wake: Callable[[], None] = lambda: None
        """Called when the device is found to have failed: somebody should look."""
        self.leave: Callable[[], None] = lambda: None
        """Called when it is closed; returns once nobody looks after it any more."""

    @property
    def present(self) -> bool:
        """Whether a device is here."""
        return self._device is not None

    @property
    def alive(self) -> bool:
        """Whether a device is here and has begun to work."""
        device = self._device
        return device is not None and device.alive()

    def failed(self) -> DeviceError | None:
        """Why the device that is here can no longer be used."""
        device = self._device
        if device is None:
            return None
        return self._error or device.failed()

    def fill(self, strictly: bool = False) -> None:
        """Open a device, and use it; `strictly` only the one that is wanted.

        Raises DeviceError: the one about the device that is wanted.
        """
        try:
            device, standing_in = self._open(self.wanted), False
        except DeviceError as error:
            if strictly or not self.wanted or not self.fallback:
                raise
            try:
                device, standing_in = self._open(""), True
            except DeviceError:
                raise error from None
        with self._monitor:
            if self._closed:
                device.close()
                return
            self.name = device.name
            if self.wanted.isdigit() and not standing_in:
                # Numbers are given anew whenever devices are listed.
                self.wanted = self.name
            self.standing_in = standing_in
            self._error = None
            self._device = device
            self._put(device)
            self._monitor.notify_all()

    def clear(self, slept: float = 0.0) -> None:
        """Close the device; `slept` seconds have passed that the clock does not know of."""
        with self._monitor:
            device, self._device = self._device, None
            if device is not None:
                self._taken(device, slept)
            self._monitor.notify_all()
        if device is not None:
            device.close()

    def close(self) -> None:
        with self._monitor:
            if self._closed:
                return
            self._closed = True
            self._monitor.notify_all()
        self.leave()
        self.clear()

    def _failed(self, device: object, error: DeviceError) -> None:
        """Note that `device` has failed, and wait until it is taken away."""
        with self._monitor:
            if device is not self._device:
                return
            self._error = error
        self.wake()
        with self._monitor:
            self._monitor.wait_for(lambda: self._closed or self._device is not device)

    def _put(self, device: D) -> None:
        raise NotImplementedError

    def _taken(self, device: D, slept: float) -> None:
        raise NotImplementedError
