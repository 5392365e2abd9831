"""The composition root: gives each stage of an assistant its engine."""

from __future__ import annotations

import dataclasses
import datetime
import platform
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

from msgspec.structs import replace

from edgevoice import __version__
from edgevoice import events as ev
from edgevoice.agent.draft_first_agent import DraftFirstAgent
from edgevoice.agent.language_model_agent import LanguageModelAgent
from edgevoice.assistant import Assistant
from edgevoice.bus import Bus
from edgevoice.chosen_models import ChosenModels, advice, choose, too_slow
from edgevoice.clock import Clock
from edgevoice.context import AudioIO, Engines, Resume, SessionContext
from edgevoice.engines import registry
from edgevoice.engines.pool import EnginePool, Loan
from edgevoice.errors import EdgevoiceError
from edgevoice.housekeeping import Housekeeping
from edgevoice.models.store import Installed, Store
from edgevoice.protocols import Agent, PairedModel, WakeDetector
from edgevoice.settings import Config
from edgevoice.skills.setup import opened_skills, ringing, with_skills
from edgevoice.skills.skills import Skills
from edgevoice.synthesis.real_time import real_time_factor


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
    models = choose(store, config, pool is not None and pool.shapes, agent is None)
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
    for text in advice(store, config, models, begins=resume is None or not resume.next_turn):
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


def _engines(
    context: SessionContext,
    store: Store,
    models: ChosenModels,
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


def _loaded(model: Installed, config: Config, store: Store, clock: Clock, bus: Bus) -> Any:
    """The engine of `model`; a voice that is too slow for this machine is reported."""
    made = registry.load(model, config)
    if model.entry.role == "tts" and (factor := real_time_factor(made, clock.now)) > 1:
        bus.emit(ev.Notice(text=too_slow(model, factor, store)))
    return made


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


def _started(models: ChosenModels, source: str, sink: str) -> ev.SessionStarted:
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
