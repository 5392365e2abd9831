"""The composition root: chooses the engine and the device for each protocol."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from edgevoice import __version__
from edgevoice import events as ev
from edgevoice.assistant import Assistant
from edgevoice.audio import Samples
from edgevoice.bus import Bus
from edgevoice.clock import Clock
from edgevoice.context import Engines, SessionContext
from edgevoice.devices.simulated import SimulatedSink, SimulatedSource, Writer
from edgevoice.history import History
from edgevoice.models.store import Installed, Store
from edgevoice.models.voices import languages, missing
from edgevoice.models.voices import voices as voices_here
from edgevoice.protocols import AudioSink, AudioSource, EchoCanceller, WakeDetector
from edgevoice.settings import Config
from edgevoice.transcription.spoken_language import check_known, named

if TYPE_CHECKING:
    from edgevoice.devices.resilient_loudspeaker import OutputDevice
    from edgevoice.devices.resilient_microphone import InputDevice
    from edgevoice.devices.watch import DeviceWatch

Source = Callable[[Callable[[], bool]], AudioSource]
"""Creates the source; its argument tells whether the assistant is idle."""

Fetch = Callable[[ev.Role, str, Callable[[], Any]], Any]
"""Returns the engine for a role and a model name: a cached one, or one loaded by the function."""

REFERENCE = "phi-3-mini"
"""The language model that edgevoice is tuned for, and the default if it is installed."""

QUIET_RATE = 48_000
"""Sample rate of a simulated speaker, in Hz."""


def open_source(config: Config, clock: Clock, wanted: str | None = None) -> InputDevice:
    """The configured microphone, or the device `wanted`. Raises DeviceError."""
    from edgevoice.devices.portaudio import Microphone

    return Microphone(clock, config.audio.input if wanted is None else wanted)


def open_sink(
    config: Config, clock: Clock, wanted: str | None = None, rate: int = 0
) -> OutputDevice:
    """The configured speaker, or the device `wanted`, at `rate` Hz. Raises DeviceError."""
    from edgevoice.devices.portaudio import Loudspeaker

    audio = config.audio
    return Loudspeaker(
        clock,
        audio.output if wanted is None else wanted,
        audio.latency_ms / 1000,
        10 ** (config.turn.duck_db / 20),
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

    def sink(self, config: Config) -> AudioSink:
        """The configured speaker. Raises DeviceError."""
        from edgevoice.devices.system import loudspeaker

        return loudspeaker(
            config.audio, self.clock, self._watched(), partial(open_sink, config, self.clock)
        )

    def recorded(self, path: str) -> AudioSink:
        """A silent speaker that records to a WAV file. Raises StorageError."""
        from edgevoice.recording import Recording

        return quiet_sink(self.clock, path, Recording(self._bus, path, QUIET_RATE))

    def _watched(self) -> DeviceWatch:
        if self._watch is None:
            from edgevoice.devices.system import PortAudio
            from edgevoice.devices.watch import DeviceWatch

            self._watch = DeviceWatch(self.clock, PortAudio(), self._bus.emit)
            self._bus.subscribe(self._watch)
        return self._watch


def echo_free(
    config: Config, clock: Clock, bus: Bus, source: AudioSource, sink: AudioSink
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


def clips_source(clock: Clock, clips: Iterator[Samples], name: str) -> Source:
    """A simulated microphone that plays `clips`, float32 [n] at 16 kHz, one after the other."""
    return lambda idle: SimulatedSource(clock, clips, idle, name)


def quiet_sink(clock: Clock, name: str, writer: Writer | None = None, rate: int = 0) -> AudioSink:
    """A simulated speaker, recorded by `writer` if there is one."""
    return SimulatedSink(clock, rate or QUIET_RATE, name, writer)


def engine(role: ev.Role, model: Installed, config: Config) -> Any:
    """Load `model` for its role. Raises ModelError, and ConfigError for an unsuitable setting."""
    if role == "vad":
        from edgevoice.engines.silero import Silero

        return Silero(model.path)
    if role == "turn":
        from edgevoice.engines.smart_turn import SmartTurn

        return SmartTurn(model.path)
    if role == "stt":
        check_known(model.name, model.entry.languages, config.stt.language)
        from edgevoice.engines.whisper import Whisper

        return Whisper(model.path, config.stt)
    if role == "tts":
        from edgevoice.engines.piper import Piper

        return Piper(model.path, config.tts)
    from edgevoice.engines.prompt_cache import default_folder

    if model.entry.shape:
        from edgevoice.engines.synthetic import SyntheticModel

        return SyntheticModel(model.path, config.slm, default_folder())
    from edgevoice.engines.llama import Llama

    return Llama(model.path, config.slm, default_folder())


def wake_word(config: Config) -> tuple[Callable[[], WakeDetector | None], str]:
    """How the wake word's detector is loaded, and its phrase; empty without a wake word.

    Raises ConfigError or ModelError if it is not available.
    """
    if config.activation.mode != "wake":
        return lambda: None, ""
    from edgevoice.engines.wake import MicroWake, find

    word = find(config.wake)
    return lambda: MicroWake(word, config.wake.sensitivity), word.phrase


def _pronounced(word: str, language: str) -> Sequence[str]:
    # Imported at the first self-speech check, which keeps it out of the start.
    from edgevoice.engines.phonemes import pronounced

    return pronounced(word, language)


def _free_memory() -> None:
    from edgevoice.engines.mlock import heap_unlocked
    from edgevoice.resources import free_memory

    with heap_unlocked():
        free_memory()


def _pin_when_ready(event: ev.Event) -> None:
    if isinstance(event, ev.Ready):
        from edgevoice.engines.mlock import lock_memory

        lock_memory()


def build(
    config: Config,
    clock: Clock,
    bus: Bus,
    source: AudioSource | Source,
    sink: AudioSink,
    history: History | None = None,
    first_turn: int = 0,
    fetch: Fetch | None = None,
    shapes: bool = False,
) -> Assistant:
    """An assistant ready to `run`; `fetch` may reuse engines for the next assistant.

    `shapes`: allow a synthetic language model (engines/synthetic.py).
    Raises ModelError if a model is missing.
    """
    from edgevoice.engines.core_reservation import CoreReservation
    from edgevoice.engines.cpu_budget import cores
    from edgevoice.resample import Resampler
    from edgevoice.resources import meter

    if config.slm.adapt_threads:
        bus.subscribe(CoreReservation(cores))
    if config.slm.lock_memory:
        bus.subscribe(_pin_when_ready)
    store = Store(config)
    vad, stt, slm = (store.choose(role, shapes=shapes) for role in ("vad", "stt", "slm"))
    check_known(stt.name, stt.entry.languages, config.stt.language)
    spoken, voices = languages(store), voices_here(store)
    tts = voices[spoken[0]]
    turn = store.optional("turn")
    wake, word = wake_word(config)
    config = replace(config, stt=replace(config.stt, language=",".join(spoken)))

    def told(role: ev.Role, model: Installed) -> Callable[[], Any]:
        def load_and_tell() -> Any:
            began = clock.now()
            bus.emit(ev.EngineLoading(role=role, model=model.name))
            load = partial(engine, role, model, config)
            made = fetch(role, model.name, load) if fetch else load()
            seconds = round(clock.now() - began, 3)
            bus.emit(ev.EngineReady(role=role, model=model.name, seconds=seconds))
            return made

        return load_and_tell

    speaking = {voice.name: told("tts", voice) for voice in voices.values()}
    assistant = Assistant(
        config,
        clock,
        bus,
        source,
        sink,
        Engines(
            told("vad", vad),
            told("stt", stt),
            told("slm", slm),
            {language: speaking[voice.name] for language, voice in voices.items()},
            told("turn", turn) if turn else lambda: None,
            wake,
            word,
            _pronounced,
            partial(engine, "vad", vad, config),
        ),
        Resampler,
        history,
        meter(),
        first_turn,
        _free_memory,
    )
    bus.emit(
        ev.SessionStarted(
            version=__version__,
            schema=ev.SCHEMA,
            wall=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            platform=" ".join(
                (platform.system(), platform.machine(), "Python", platform.python_version())
            ),
            models={model.entry.role: model.name for model in (vad, stt, slm, tts, turn) if model},
            input=assistant.source_name,
            output=sink.name,
            languages=spoken,
        )
    )
    bus.emit(ev.ActivationMode(mode=config.activation.mode, word=word))
    wanted = "" if turn or config.models.turn or first_turn else store.starter_of("turn")
    if wanted:
        bus.emit(
            ev.Notice(
                text="end-of-turn detection uses silence and text only; "
                f"`edgevoice models pull {wanted}` makes it faster and more reliable"
            )
        )
    if not first_turn:
        for language, better in missing(store).items():
            bus.emit(ev.Notice(text=_voiceless(language, better, tts)))
    if not config.models.slm and slm.name != REFERENCE:
        bus.emit(
            ev.Notice(
                text=f"the language model is {slm.name}; `edgevoice models pull {REFERENCE}` "
                "installs the reference model"
            )
        )
    return assistant


def _voiceless(language: str, better: str, instead: Installed) -> str:
    """How to get a voice for a language without one."""
    fix = f"`edgevoice models pull {better}`" if better else "`edgevoice models add` a Piper voice"
    return f"there is no voice for {named(language)}, so {instead.name} speaks it: {fix}"
