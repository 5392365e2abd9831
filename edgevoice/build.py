"""The composition root: chooses the engine and the device for each protocol."""

from __future__ import annotations

import dataclasses
import datetime
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from msgspec.structs import replace

from edgevoice import __version__
from edgevoice import events as ev
from edgevoice.agent.draft_first_agent import DraftFirstAgent
from edgevoice.agent.language_model_agent import LanguageModelAgent
from edgevoice.assistant import Assistant
from edgevoice.audio import Samples
from edgevoice.bus import Bus
from edgevoice.clock import Clock
from edgevoice.context import AudioIO, Engines, OpenSource, Resume, SessionContext
from edgevoice.devices.simulated import SimulatedSink, SimulatedSource, Writer
from edgevoice.engines import registry
from edgevoice.engines.pool import EnginePool, Loan
from edgevoice.errors import EdgevoiceError
from edgevoice.housekeeping import Housekeeping
from edgevoice.models.store import Installed, Store
from edgevoice.models.voices import instead_of, languages, missing
from edgevoice.models.voices import voices as voices_here
from edgevoice.player import Player
from edgevoice.protocols import (
    Agent,
    AudioSink,
    AudioSource,
    EchoCanceller,
    PairedModel,
    WakeDetector,
)
from edgevoice.settings import Config
from edgevoice.skills.setup import opened_skills, ringing, with_skills
from edgevoice.skills.skills import Skills
from edgevoice.synthesis.real_time import real_time_factor
from edgevoice.transcription.spoken_language import check_known, named

if TYPE_CHECKING:
    from edgevoice.devices.resilient_loudspeaker import OutputDevice
    from edgevoice.devices.resilient_microphone import InputDevice
    from edgevoice.devices.watch import DeviceWatch

REFERENCE = "phi-3-mini"
"""The language model that edgevoice is tuned for, and the default if it is installed."""

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
        from edgevoice.devices.system import loudspeaker

        speaker = loudspeaker(
            config.audio, self.clock, self._watched(), partial(_open_speaker, config, self.clock)
        )
        return _player(config, self.clock, speaker)

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


@dataclass(frozen=True, slots=True)
class _ChosenModels:
    """The models of a session.

    `languages` are those that are spoken, the main one first; `voices` has the voice of each
    language that has one.
    """

    languages: tuple[str, ...]
    vad: Installed
    stt: Installed
    slm: Installed | None
    draft: Installed | None
    voices: dict[str, Installed]
    turn: Installed | None

    @property
    def tts(self) -> Installed:
        """The voice of the main language."""
        return self.voices[self.languages[0]]


def build(
    context: SessionContext,
    audio: AudioIO,
    resume: Resume | None = None,
    pool: EnginePool | None = None,
    agent: Agent | None = None,
) -> Assistant:
    """An assistant ready to `run`, with engines from `pool`; without one they end with it.

    `agent` answers instead of the language model, which is not loaded then.
    Raises ModelError if a model is missing.
    """
    from edgevoice.resources import meter

    config, bus = context.config, context.bus
    _adapt_process(config, bus)
    store = Store(config)
    models = _choose(store, config, pool is not None and pool.shapes, agent is None)
    config = replace(config, stt=replace(config.stt, language=",".join(models.languages)))
    context = dataclasses.replace(context, config=config)
    name = models.slm.name if models.slm else ""
    skills = opened_skills(context, models.languages, name) if agent is None else None
    engines = _engines(context, store, models, pool, agent, skills)
    housekeeping = Housekeeping(meter(), _free_memory)
    ringer = ringing(skills, context) if skills else None
    assistant = Assistant(context, audio, engines, resume, housekeeping, ringer)
    if skills:
        skills.answers.host = assistant
    bus.emit(_started(models, assistant.source_name, audio.sink.name))
    bus.emit(ev.ActivationMode(mode=config.activation.mode, word=engines.wake_word))
    for text in _advice(store, config, models, begins=resume is None or not resume.next_turn):
        bus.emit(ev.Notice(text=text))
    return assistant


def _adapt_process(config: Config, bus: Bus) -> None:
    """Share heaps and cores, and lock the memory, as the settings say, while the session runs."""
    from edgevoice.engines.core_reservation import CoreReservation
    from edgevoice.engines.cpu_budget import cores
    from edgevoice.resources import share_heaps

    share_heaps()
    if config.slm.adapt_threads:
        bus.subscribe(CoreReservation(cores))
    if config.slm.lock_memory:
        bus.subscribe(_pin_when_ready)


def _choose(store: Store, config: Config, shapes: bool, answers: bool) -> _ChosenModels:
    """The models of the settings; `answers`: with a language model. Raises ModelError if one is
    missing."""
    vad, stt = (store.choose(role, shapes=shapes) for role in ("vad", "stt"))
    slm = store.choose("slm", shapes=shapes) if answers else None
    check_known(stt.name, stt.entry.languages, config.stt.language)
    draft = store.draft_of(slm) if slm else None
    spoken, voices = languages(store), voices_here(store)
    return _ChosenModels(spoken, vad, stt, slm, draft, voices, store.optional("turn"))


def _engines(
    context: SessionContext,
    store: Store,
    models: _ChosenModels,
    given: EnginePool | None,
    agent: Agent | None,
    skills: Skills | None,
) -> Engines:
    """How each engine is loaded; loading is reported on the bus."""
    config, clock, bus = context.config, context.clock, context.bus
    pool = given or EnginePool()
    loans: list[Loan] = []

    def give_back() -> None:
        for loan in loans:
            loan.give_back()
        if given is None:
            pool.close()

    def reported(role: ev.EnginePart, model: Installed) -> Callable[[], Any]:
        def load_and_report() -> Any:
            began = clock.now()
            bus.emit(ev.EngineLoading(role=role, model=model.name))
            load = partial(_loaded, model, config, store, clock, bus)
            loan = pool.lend(role, model.name, config, load)
            loans.append(loan)
            seconds = round(clock.now() - began, 3)
            bus.emit(ev.EngineReady(role=role, model=model.name, seconds=seconds))
            return loan.engine

        return load_and_report

    def answering() -> Agent:
        if agent or not models.slm:
            assert agent is not None
            return agent
        slm = reported("slm", models.slm)()
        load_draft = reported("draft", models.draft) if models.draft else None
        draft = _loaded_draft(load_draft, slm, context)
        answers: Agent = (
            LanguageModelAgent(slm, config)
            if draft is None
            else DraftFirstAgent(draft, slm, config, always=config.slm.draft != "auto")
        )
        return with_skills(answers, skills)

    speaking = {voice.name: reported("tts", voice) for voice in models.voices.values()}
    wake, word = wake_word(config)
    return Engines(
        reported("vad", models.vad),
        reported("stt", models.stt),
        answering,
        {language: speaking[voice.name] for language, voice in models.voices.items()},
        reported("turn", models.turn) if models.turn else lambda: None,
        wake,
        word,
        _pronounced,
        partial(registry.load, models.vad, config),
        give_back,
    )


def _loaded_draft(
    load: Callable[[], Any] | None, slm: Any, context: SessionContext
) -> PairedModel | None:
    """The draft model, if there is one that works with `slm`. With slm.draft=auto, a model that
    does not load is only reported."""
    if load is None or not hasattr(slm, "probabilities"):
        return None
    try:
        draft = load()
    except EdgevoiceError as error:
        if context.config.slm.draft != "auto":
            slm.close()
            raise
        context.bus.emit(ev.Notice(text=f"replies are not drafted: {error.what}"))
        return None
    return cast(PairedModel, draft) if hasattr(draft, "seconds") else None


def _started(models: _ChosenModels, source: str, sink: str) -> ev.SessionStarted:
    used = (models.vad, models.stt, models.slm, models.tts, models.turn)
    return ev.SessionStarted(
        version=__version__,
        schema=ev.SCHEMA,
        wall=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        platform=" ".join(
            (platform.system(), platform.machine(), "Python", platform.python_version())
        ),
        models={model.entry.role: model.name for model in used if model}
        | ({"draft": models.draft.name} if models.draft else {}),
        input=source,
        output=sink,
        languages=models.languages,
    )


def _advice(store: Store, config: Config, models: _ChosenModels, begins: bool) -> Iterator[str]:
    """What the user can install for better results; `begins`: the first time in a session."""
    wanted = begins and not models.turn and not config.models.turn and store.starter_of("turn")
    if wanted:
        yield (
            "end-of-turn detection uses silence and text only; "
            f"`edgevoice models pull {wanted}` makes it faster and more reliable"
        )
    if begins:
        for language, better in missing(store).items():
            yield _voiceless(language, better, models.tts)
    if models.slm and not config.models.slm and models.slm.name != REFERENCE:
        yield (
            f"the language model is {models.slm.name}; `edgevoice models pull {REFERENCE}` "
            "installs the reference model"
        )


def _loaded(model: Installed, config: Config, store: Store, clock: Clock, bus: Bus) -> Any:
    """The engine of `model`; a voice that is too slow for this machine is reported."""
    made = registry.load(model, config)
    if model.entry.role == "tts" and (factor := real_time_factor(made, clock.now)) > 1:
        bus.emit(ev.Notice(text=_too_slow(model, factor, store)))
    return made


def _too_slow(voice: Installed, factor: float, store: Store) -> str:
    """What a voice that cannot keep up means, and which one to choose."""
    other = instead_of(store, voice.entry)
    fix = f"`--tts {other}`" if other else "another voice"
    if other and store.find(other) is None:
        fix = f"`edgevoice models pull {other}`, then {fix}"
    return (
        f"the voice {voice.name} takes {factor:.1f} s for a second of speech on this machine, so "
        f"replies will have gaps; choose {fix}"
    )


def _voiceless(language: str, better: str, instead: Installed) -> str:
    """How to get a voice for a language without one."""
    fix = f"`edgevoice models pull {better}`" if better else "`edgevoice models add` a Piper voice"
    return f"there is no voice for {named(language)}, so {instead.name} speaks it: {fix}"
