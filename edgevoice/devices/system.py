"""Real devices as a session holds them: lasting, and looked after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgevoice.clock import Clock
from edgevoice.devices.converted import Converted
from edgevoice.devices.device_slot import DeviceSlot
from edgevoice.devices.hotplug import Hotplug, signs, slept
from edgevoice.devices.listing import outdated
from edgevoice.devices.resilient_loudspeaker import OutputDevice, ResilientLoudspeaker
from edgevoice.devices.resilient_microphone import InputDevice, ResilientMicrophone
from edgevoice.devices.streams import look_again
from edgevoice.devices.watch import DeviceWatch
from edgevoice.errors import DeviceError
from edgevoice.settings import AudioSettings

RATE = 48_000
"""Sample rate, in Hz, of a speaker that was not there when the session began."""


class PortAudio:
    """The System of PortAudio."""

    def look_again(self) -> None:
        look_again()

    def signs(self) -> Hotplug:
        return signs()

    def slept(self) -> float:
        return slept()


def microphone(
    settings: AudioSettings, clock: Clock, watch: DeviceWatch, open: Callable[[str], InputDevice]
) -> ResilientMicrophone:
    """The microphone that the settings name, opened by name. Raises DeviceError where it is not
    there at the beginning, unless it is to be waited for."""
    place = ResilientMicrophone(clock, settings.input, settings.fallback, open)
    _begin(place, settings, watch)
    return place


def loudspeaker(
    settings: AudioSettings,
    clock: Clock,
    watch: DeviceWatch,
    open: Callable[[str, int], OutputDevice],
) -> ResilientLoudspeaker:
    """The speaker that the settings name, opened by name at a rate in Hz, or its own where that is
    0. Raises DeviceError like `microphone`."""
    rate = 0

    def open_at_rate(wanted: str) -> OutputDevice:
        """Samples go on being counted at the first speaker's rate, whatever this one's is."""
        nonlocal rate
        try:
            speaker = open(wanted, rate)
        except DeviceError:
            if not rate:
                raise
            speaker = open(wanted, 0)
        rate = rate or speaker.rate
        return speaker if speaker.rate == rate else Converted(speaker, rate)

    place = ResilientLoudspeaker(clock, settings.output, settings.fallback, open_at_rate, RATE)
    _begin(place, settings, watch)
    # Nothing has been written yet.
    place.rate = rate = rate or RATE
    return place


def _begin(place: DeviceSlot[Any], settings: AudioSettings, watch: DeviceWatch) -> None:
    if outdated():
        # Another device was chosen, perhaps one that was not there when the session began.
        look_again()
    try:
        place.fill(strictly=not settings.wait)
    except DeviceError:
        if not settings.wait:
            raise
    watch.add(place)
