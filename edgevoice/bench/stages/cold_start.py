"""How long the program takes from nothing to its first answer: cold starts and warm ones in turn.

Every start is a process of its own, which is the program itself up to the point where it would
open a microphone: the same command line, the same imports, the same pipeline. A cold start finds
no weights in memory and no kept state of the prompt; a warm one, right behind it, finds both.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from edgevoice import events as ev
from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.corpus.wall import WALL
from edgevoice.bench.driver.bench import BenchPlan
from edgevoice.bench.driver.run_state import RunState, changed
from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.bench.jobs.worker import Worker
from edgevoice.bench.machine.page_cache import cached, drop
from edgevoice.bench.result.device_record import Load, Start
from edgevoice.bench.result.result import BenchTurn
from edgevoice.clock import Clock, SystemClock
from edgevoice.errors import EdgevoiceError
from edgevoice.models.store import Store
from edgevoice.settings import Config

COLD, WARM = "cold start", "warm start"
START_VARIANTS: Mapping[str, Mapping[str, Any]] = {COLD: {"slm.prompt_cache": False}, WARM: {}}

EXPECTED = 20.0
"""Seconds that a start with its first answer may be expected to take."""

GONE = 0.05
"""A start is cold while no more than this share of the weights was in memory."""


@dataclass(frozen=True)
class StartTask:
    """What a process is to do: start as `config` has it, and answer `question`.

    `since` is when that process was made, by the clock that all processes share.
    """

    config: Config
    question: BenchQuestion
    variant: str
    warm_up: bool
    since: float


class StartOutcome(Struct, frozen=True, kw_only=True):
    """What came of it. `start` lacks what only the one who started it knows."""

    start: Start
    turn: BenchTurn
    models: Mapping[str, str]
    input: str
    output: str


Launch = Callable[[StartTask], StartOutcome]
"""Has another process start. Raises what it failed with."""


class ColdStartBench:
    """Starts the program `plan.repeat` times cold and as often warm; `run_state` holds them."""

    def __init__(
        self,
        plan: BenchPlan,
        progress: BenchProgress,
        launch: Launch | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.plan = plan
        self._progress = progress
        self._launch = launch or self._apart
        self._clock: Clock = clock or SystemClock()
        self._told: set[str] = set()
        self.run_state = RunState(
            plan.command, plan.config, plan.source, plan.left_out, START_VARIANTS, self._clock
        )

    def run(self) -> None:
        """Start it over and over. Raises ModelError and whatever else a start may fail with."""
        files = list(weights(self.plan.config))
        # Uncounted: what it compiles and keeps is there for all others.
        order = [
            (WARM, True),
            *((each, False) for _ in range(self.plan.repeat) for each in START_VARIANTS),
        ]
        self._progress.begin(f"{2 * self.plan.repeat} starts", EXPECTED * len(order))
        for number, (variant, warm_up) in enumerate(order):
            # A cold start and the warm one behind it are asked the same.
            question = self.plan.questions[max(0, number - 1) // 2 % len(self.plan.questions)]
            if variant == COLD:
                self._cool(files)
            share = cached(files)
            config = changed(self.plan.config, START_VARIANTS[variant])
            made = self._launch(StartTask(config, question, variant, warm_up, time.monotonic()))
            self._note(made, share, warm_up)
            where = "warm-up" if warm_up else f"{number}/{2 * self.plan.repeat}"
            self._progress.done(EXPECTED, f"{where} {variant}  {_told(made)}")
        self.run_state.finished = True

    def _cool(self, files: Sequence[Path]) -> None:
        if not drop(files):
            self._tell(
                "this system lets nobody but root drop weights from memory: cold starts find "
                "them there, and only the kept state of the prompt is missing"
            )
            return
        share = cached(files)
        if share is not None and share > GONE:
            self._tell(
                f"{share * 100:.0f} % of the weights stay in memory, because another program uses "
                "them: cold starts are not quite cold"
            )

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._progress.say(text)

    def _note(self, made: StartOutcome, share: float | None, warm_up: bool) -> None:
        run_state = self.run_state
        run_state.models, run_state.input, run_state.output = made.models, made.input, made.output
        run_state.turns.append(replace(made.turn, asked_at=round(self._clock.now(), 3)))
        if not warm_up:
            told = None if share is None else round(share, 4)
            run_state.starts.append(replace(made.start, cached=told))

    def _apart(self, first: StartTask) -> StartOutcome:
        process = Worker[StartOutcome](first)
        process.run(self._progress)
        assert process.made is not None
        return process.made


def _told(made: StartOutcome) -> str:
    gap = made.turn.gap
    answer = f"dropped: {made.turn.dropped}" if gap is None else f"answer in {gap * 1000:.0f} ms"
    return f"ready in {made.start.ready:.2f} s, {answer}"


def weights(config: Config) -> Iterator[Path]:
    """Every file that is read while these models load. Raises ModelError."""
    store = Store(config)
    models = [store.choose(role, shapes=True) for role in ("vad", "stt", "slm", "tts")]
    turn = store.optional("turn")
    for model in [*models, turn] if turn else models:
        folder = store.folder / model.name
        yield from sorted(path for path in folder.rglob("*") if path.is_file())


def start(first: StartTask, began: float) -> StartOutcome:
    """Start as the program does, in this process, which came to its first line at `began`, and
    answer one question. Raises what the assistant does."""
    from edgevoice.bench.driver.driver import interview
    from edgevoice.bench.driver.engine_cache import EngineCache
    from edgevoice.bench.driver.player import QuietRoom
    from edgevoice.build import build, quiet_sink
    from edgevoice.bus import Bus
    from edgevoice.context import AudioIO, SessionContext

    imported = time.monotonic() - first.since
    clock = SystemClock()
    zero = time.monotonic() - first.since - clock.now()
    bus = Bus(clock)
    events: list[ev.Event] = []
    bus.subscribe(events.append)
    room, cache = QuietRoom(clock), EngineCache(clock)
    sink = quiet_sink(clock, "a speaker that nobody hears")
    fetch = cache.fetch(first.config)
    context = SessionContext(first.config, clock, bus, wall=lambda: WALL)
    assistant = build(context, AudioIO(room, sink), fetch=fetch, shapes=True)
    try:
        with interview(assistant, clock, room, cache) as one:
            one.wait_until_ready()
            rss = _rss()
            turn = one.ask(first.question, first.variant, first.warm_up)
    finally:
        cache.close()
    session = next(event for event in events if isinstance(event, ev.SessionStarted))
    made = timeline(events, zero)
    return StartOutcome(
        start=Start(
            variant=first.variant,
            program=round(began - first.since, 4),
            imported=round(imported, 4),
            gap=turn.gap,
            cached=None,
            rss=rss,
            **made,
        ),
        turn=turn,
        models=session.models,
        input=session.input,
        output=session.output,
    )


def timeline(events: Sequence[ev.Event], zero: float) -> dict[str, Any]:
    """When each model was loaded, and when it listened and was ready, by the events of a session
    that began `zero` seconds after its process. Raises EdgevoiceError if it never was."""
    began: dict[str, float] = {}
    loads: dict[str, Load] = {}
    reached: dict[str, float] = {}
    for event in events:
        match event:
            case ev.EngineLoading():
                began[event.role] = round(zero + event.t, 4)
            case ev.EngineReady() if event.role in began:
                ready = round(zero + event.t, 4)
                loads[event.role] = Load(model=event.model, began=began[event.role], ready=ready)
            case ev.Listening():
                reached.setdefault("listening", round(zero + event.t, 4))
            case ev.Ready():
                reached.setdefault("ready", round(zero + event.t, 4))
            case _:
                pass
    if len(reached) < 2:
        raise EdgevoiceError("the assistant was never ready", remedy="edgevoice doctor")
    return {"loads": loads, **reached}


def _rss() -> int:
    import psutil

    return int(psutil.Process(os.getpid()).memory_info().rss)
