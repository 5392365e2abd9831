"""Real devices as a session holds them: lasting, looked after, and opened as its settings say."""

from __future__ import annotations

from typing import Any

from edgevoice.clock import Clock
from edgevoice.devices.converted import Converted
from edgevoice.devices.lasting import Lasting, LastingLoudspeaker, LastingMicrophone, Mouth
from edgevoice.devices.listing import look_again
from edgevoice.devices.portaudio import Loudspeaker, Microphone
from edgevoice.devices.signs import Signs, signs, slept
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


def microphone(settings: AudioSettings, clock: Clock, watch: Watch) -> LastingMicrophone:
    """The microphone that the settings name. Raises DeviceError where it is not there at the
    beginning, unless it is to be waited for."""
    place = LastingMicrophone(
        clock, settings.input, settings.fallback, lambda wanted: Microphone(clock, wanted)
    )
    _begin(place, settings, watch)
    return place


def loudspeaker(settings: AudioSettings, clock: Clock, watch: Watch) -> LastingLoudspeaker:
    """The speaker that the settings name; fails like `microphone`."""
    latency = settings.latency_ms / 1000
    rate = 0

    def open(wanted: str) -> Mouth:
        """Samples go on being counted at the first speaker's rate, whatever this one's is."""
        nonlocal rate
        try:
            speaker = Loudspeaker(clock, wanted, latency, rate=rate)
        except DeviceError:
            if not rate:
                raise
            speaker = Loudspeaker(clock, wanted, latency)
        rate = rate or speaker.rate
        return speaker if speaker.rate == rate else Converted(speaker, rate)

    place = LastingLoudspeaker(clock, settings.output, settings.fallback, open, RATE)
    _begin(place, settings, watch)
    # Nothing has been written yet.
    place.rate = rate = rate or RATE
    return place


def _begin(place: Lasting[Any], settings: AudioSettings, watch: Watch) -> None:
    try:
        place.fill(strictly=not settings.wait)
    except DeviceError:
        if not settings.wait:
            raise
    watch.add(place)
