"""Open the microphone and the speaker of a session, or files that take their place."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from edgevoice.audio import Samples
from edgevoice.bus import Bus
from edgevoice.clock import Clock
from edgevoice.context import OpenSource, SessionContext
from edgevoice.devices.simulated import SimulatedSink, SimulatedSource, Writer
from edgevoice.player import Player
from edgevoice.protocols import AudioSink, AudioSource, EchoCanceller
from edgevoice.settings import Config

if TYPE_CHECKING:
    from edgevoice.devices.resilient_loudspeaker import OutputDevice
    from edgevoice.devices.resilient_microphone import InputDevice
    from edgevoice.devices.watch import DeviceWatch

SIMULATED_RATE = 48_000
"""Sample rate of a simulated speaker, in Hz."""


def open_source(config: Config, clock: Clock, wanted: str | None = None) -> InputDevice:
    """The configured microphone, or the device `wanted`. Raises DeviceError."""
    from edgevoice.devices.portaudio import Microphone

    return Microphone(clock, config.audio.input if wanted is None else wanted)


def open_sink(config: Config, clock: Clock) -> Player:
    """The configured speaker, not reopened after a loss. Raises DeviceError."""
    return _player(config, clock, _open_speaker(config, clock, config.audio.output))


def _player(config: Config, clock: Clock, sink: AudioSink) -> Player:
    return Player(clock, sink, 10 ** (config.turn.duck_db / 20))


def _open_speaker(config: Config, clock: Clock, wanted: str, rate: int = 0) -> OutputDevice:
    from edgevoice.devices.portaudio import Loudspeaker

    audio = config.audio
    return Loudspeaker(
        clock,
        wanted,
        audio.latency_ms / 1000,
        rate=rate,
        lead=audio.wake_ms / 1000,
        hiss=audio.keep_awake,
    )


def unwatched_source(config: Config, clock: Clock) -> AudioSource:
    """The configured microphone, not reopened after a loss. Raises DeviceError."""
    from edgevoice.devices.resilient_microphone import ResilientMicrophone

    place = ResilientMicrophone(
        clock, config.audio.input, False, lambda wanted: open_source(config, clock, wanted)
    )
    place.fill(strictly=True)
    return place


class Devices:
    """The microphone and the speaker of one session, which continues while they are unavailable."""

    def __init__(self, clock: Clock, bus: Bus) -> None:
        self.clock = clock
        self._bus = bus
        self._watch: DeviceWatch | None = None

    def source(self, config: Config) -> AudioSource:
        """The configured microphone. Raises DeviceError."""
        from edgevoice.devices.system import microphone

        return microphone(
            config.audio, self.clock, self._watched(), partial(open_source, config, self.clock)
        )

    def closed_source(self, config: Config) -> AudioSource:
        """The configured microphone, muted: it is opened when the user unmutes it."""
        from edgevoice.devices.resilient_microphone import ResilientMicrophone

        audio = config.audio
        slot = ResilientMicrophone(
            self.clock, audio.input, audio.fallback, partial(open_source, config, self.clock)
        )
        slot.muted, slot.name = True, audio.input or "not opened"
        self._watched().add(slot)
        return slot

    def sink(self, config: Config) -> Player:
        """The configured speaker. Raises DeviceError."""
        return _player(config, self.clock, self.speaker(config))

    def speaker(self, config: Config) -> AudioSink:
        """The configured speaker as a sink. Raises DeviceError."""
        from edgevoice.devices.system import loudspeaker

        return loudspeaker(
            config.audio, self.clock, self._watched(), partial(_open_speaker, config, self.clock)
        )

    def recorded(self, path: str) -> Player:
        """A silent speaker that records to a WAV file. Raises StorageError."""
        from edgevoice.recording import Recording

        return quiet_sink(self.clock, path, Recording(self._bus, path, SIMULATED_RATE))

    def _watched(self) -> DeviceWatch:
        if self._watch is None:
            from edgevoice.devices.system import PortAudio
            from edgevoice.devices.watch import DeviceWatch

            self._watch = DeviceWatch(self.clock, PortAudio(), self._bus.emit)
            self._bus.subscribe(self._watch)
        return self._watch


def echo_free(
    config: Config, clock: Clock, bus: Bus, source: AudioSource, sink: Player
) -> AudioSource:
    """A microphone without the echo of the speaker, and without noise if the settings say so."""
    settings = config.echo
    cleans = settings.noise_suppression or settings.gain_control
    if settings.cancel == "off" and not cleans and not settings.self_speech:
        return source
    from edgevoice.capture.echo_cancellation import EchoCancelledSource

    def load() -> EchoCanceller:
        from edgevoice.engines.echo import WebRtc

        return WebRtc(settings)

    needed = settings.cancel != "off" or cleans
    context = SessionContext(config, clock, bus)
    return EchoCancelledSource(context, source, sink, load if needed else None)


def clips_source(clock: Clock, clips: Iterator[Samples], name: str) -> OpenSource:
    """A simulated microphone that plays `clips`, float32 [n] at 16 kHz, one after the other."""
    return lambda idle: SimulatedSource(clock, clips, idle, name)


def quiet_sink(clock: Clock, name: str, writer: Writer | None = None, rate: int = 0) -> Player:
    """A simulated speaker, recorded by `writer` if there is one."""
    return Player(clock, SimulatedSink(clock, rate or SIMULATED_RATE, name, writer))
