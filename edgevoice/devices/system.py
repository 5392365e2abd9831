"""Real devices as a session holds them: lasting, and looked after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgevoice.clock import Clock
from edgevoice.devices.converted import Converted
from edgevoice.devices.lasting_loudspeaker import LastingLoudspeaker, Mouth
from edgevoice.devices.lasting_microphone import Ear, LastingMicrophone
from edgevoice.devices.listing import outdated
from edgevoice.devices.place import Place
from edgevoice.devices.signs import Signs, signs, slept
from edgevoice.devices.streams import look_again
from edgevoice.devices.watch import Watch
from edgevoice.errors import DeviceError
from edgevoice.settings import AudioSettings

RATE = 48_000
"""Sample rate, in Hz, of a speaker that was not there when the session began."""


class PortAudio:
    """The System of PortAudio."""

    def look_again(self) -> None:
        look_again()

    def signs(self) -> Signs:
        return signs()

    def slept(self) -> float:
        return slept()


def microphone(
    settings: AudioSettings, clock: Clock, watch: Watch, open: Callable[[str], Ear]
) -> LastingMicrophone:
    """The microphone that the settings name, opened by name. Raises DeviceError where it is not
    there at the beginning, unless it is to be waited for."""
    place = LastingMicrophone(clock, settings.input, settings.fallback, open)
    _begin(place, settings, watch)
    return place


def loudspeaker(
    settings: AudioSettings, clock: Clock, watch: Watch, open: Callable[[str, int], Mouth]
) -> LastingLoudspeaker:
    """The speaker that the settings name, opened by name at a rate in Hz, or its own where that is
    0. Raises DeviceError like `microphone`."""
    rate = 0

    def open_at_rate(wanted: str) -> Mouth:
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

    place = LastingLoudspeaker(clock, settings.output, settings.fallback, open_at_rate, RATE)
    _begin(place, settings, watch)
    # Nothing has been written yet.
    place.rate = rate = rate or RATE
    return place


def _begin(place: Place[Any], settings: AudioSettings, watch: Watch) -> None:
    if outdated():
        # Another device was chosen, perhaps one that was not there when the session began.
        look_again()
    try:
        place.fill(strictly=not settings.wait)
    except DeviceError:
        if not settings.wait:
            raise
    watch.add(place)
