"""Open a session's microphone and speaker, and have them monitored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgevoice.clock import Clock
from edgevoice.devices import output_latency
from edgevoice.devices.converted import Converted
from edgevoice.devices.device_slot import DeviceSlot
from edgevoice.devices.hotplug import Hotplug, hotplug_state, seconds_suspended
from edgevoice.devices.listing import outdated
from edgevoice.devices.resilient_loudspeaker import OutputDevice, ResilientLoudspeaker
from edgevoice.devices.resilient_microphone import InputDevice, ResilientMicrophone
from edgevoice.devices.streams import relist_devices
from edgevoice.devices.watch import DeviceWatch
from edgevoice.errors import DeviceError
from edgevoice.settings import AudioSettings

DEFAULT_RATE = 48_000
"""Sample rate in Hz if no speaker is present when the session starts."""


class PortAudio:
    """The SoundSystem of PortAudio."""

    def relist_devices(self) -> None:
        relist_devices()

    def hotplug_state(self) -> Hotplug:
        return hotplug_state()

    def seconds_suspended(self) -> float:
        return seconds_suspended()


def microphone(
    settings: AudioSettings, clock: Clock, watch: DeviceWatch, open: Callable[[str], InputDevice]
) -> ResilientMicrophone:
    """The microphone that the settings name; `open` opens a device by name.

    Raises DeviceError if it is absent, unless audio.wait is set.
    """
    slot = ResilientMicrophone(clock, settings.input, settings.fallback, open)
    _open_and_watch(slot, settings, watch)
    return slot


def loudspeaker(
    settings: AudioSettings,
    clock: Clock,
    watch: DeviceWatch,
    open: Callable[[str, int], OutputDevice],
) -> ResilientLoudspeaker:
    """The speaker that the settings name; `open` opens it by name and rate in Hz (0: its own).

    Raises DeviceError like `microphone`.
    """
    rate = 0

    def open_at_rate(name: str) -> OutputDevice:
        """Open a speaker; samples are always counted at the first speaker's rate."""
        nonlocal rate
        try:
            speaker = open(name, rate)
        except DeviceError:
            if not rate:
                raise
            speaker = open(name, 0)
        rate = rate or speaker.rate
        return speaker if speaker.rate == rate else Converted(speaker, rate)

    slot = ResilientLoudspeaker(
        clock, settings.output, settings.fallback, open_at_rate, DEFAULT_RATE
    )
    if not settings.latency_ms:
        slot.lengthen = output_latency.lengthen
    _open_and_watch(slot, settings, watch)
    # Nothing has been written yet.
    slot.rate = rate = rate or DEFAULT_RATE
    return slot


def _open_and_watch(slot: DeviceSlot[Any], settings: AudioSettings, watch: DeviceWatch) -> None:
    if outdated():
        # The chosen device may have been plugged in since the last listing.
        relist_devices()
    try:
        slot.fill(strictly=not settings.wait)
    except DeviceError:
        if not settings.wait:
            raise
    watch.add(slot)
