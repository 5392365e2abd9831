"""How long the program takes from nothing to its first answer: cold and warm starts alternately.

Every start is a process of its own, the program itself up to where it would open a microphone. A
cold start finds no weights in memory and no stored state of the prompt; the warm one that follows
finds both.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from msgspec import Struct
from msgspec.structs import replace

from edgevoice import events as ev
from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.driver.plan import BenchPlan
from edgevoice.bench.driver.run_state import RunState, changed
from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.bench.jobs.worker import Worker
from edgevoice.bench.result.device_record import Load, Start
from edgevoice.bench.result.result import BenchTurn
from edgevoice.clock import Clock, SystemClock
from edgevoice.errors import EdgevoiceError
from edgevoice.models.store import Store
from edgevoice.settings import Config

COLD, WARM = "cold start", "warm start"
START_VARIANTS: Mapping[str, Mapping[str, Any]] = {COLD: {"slm.prompt_cache": False}, WARM: {}}

EXPECTED = 20.0  # seconds that a start with its first answer is expected to take


@dataclass(frozen=True)
class StartTask:
    """Start with `config`, and answer `question`. `since` is when the process was made, on the
    clock that all processes share."""

    config: Config
    question: BenchQuestion
    variant: str
    warm_up: bool
    since: float


class StartOutcome(Struct, frozen=True, kw_only=True):
    """The outcome of a start."""

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
        self._said = False
        self.run_state = RunState(plan, self._clock, START_VARIANTS)

    def run(self) -> None:
        """Start it over and over. Raises ModelError, and what else a start may fail with."""
        plan, files = self.plan, list(weights(self.plan.config))
        # The first one is not counted: what it compiles and stores is there for all others.
        order = [(WARM, True), *((each, False) for each in [*START_VARIANTS] * plan.repeat)]
        self._progress.begin(f"{2 * plan.repeat} starts", EXPECTED * len(order))
        for number, (variant, warm_up) in enumerate(order):
            # A cold start and the warm one behind it get the same question.
            question = plan.questions[max(0, number - 1) // 2 % len(plan.questions)]
            if variant == COLD:
                self._cool(files)
            config = changed(plan.config, START_VARIANTS[variant])
            made = self._launch(StartTask(config, question, variant, warm_up, time.monotonic()))
            self._note(made, warm_up)
            where = "warm-up" if warm_up else f"{number}/{2 * plan.repeat}"
            answer = f"dropped: {made.turn.dropped}"
            if (response_time := made.turn.response_time) is not None:
                answer = f"answer in {response_time * 1000:.0f} ms"
            line = f"{where} {variant}  ready in {made.start.ready:.2f} s, {answer}"
            self._progress.done(EXPECTED, line)
        self.run_state.finished = True

    def _cool(self, files: Sequence[Path]) -> None:
        if not drop(files) and not self._said:
            self._said = True
            self._progress.say(
                "only root can drop weights from memory on this system: cold starts find them "
                "there, and only lack the stored state of the prompt"
            )

    def _note(self, made: StartOutcome, warm_up: bool) -> None:
        run_state = self.run_state
        run_state.models, run_state.input, run_state.output = made.models, made.input, made.output
        run_state.turns.append(replace(made.turn, asked_at=round(self._clock.now(), 3)))
        if not warm_up:
            run_state.starts.append(made.start)

    def _apart(self, task: StartTask) -> StartOutcome:
        process = Worker[StartOutcome](task)
        process.run(self._progress)
        assert process.made is not None
        return process.made


def weights(config: Config) -> Iterator[Path]:
    """Every file that is read while these models load. Raises ModelError."""
    store = Store(config)
    models = [store.choose(role) for role in ("vad", "stt", "slm", "tts")]
    turn = store.optional("turn")
    for model in [*models, turn] if turn else models:
        folder = store.folder / model.name
        yield from sorted(path for path in folder.rglob("*") if path.is_file())


def drop(paths: Iterable[Path]) -> bool:
    """Ask the system to drop these files from the page cache; false where it cannot be asked."""
    if not hasattr(os, "posix_fadvise"):
        return False
    try:
        for path in paths:
            with path.open("rb") as file:
                os.fdatasync(file.fileno())  # what is not yet on disk cannot be dropped
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError:
        return False
    return True


def start(task: StartTask, began: float) -> StartOutcome:
    """Start as the program does, and answer one question. This process reached its first line at
    `began`. Raises what the assistant does."""
    from edgevoice.bench.driver.driver import session
    from edgevoice.bench.driver.engine_cache import EngineCache
    from edgevoice.bench.driver.player import QuietRoom
    from edgevoice.bus import Bus
    from edgevoice.open_devices import quiet_sink

    imported = time.monotonic() - task.since
    clock = SystemClock()
    zero = time.monotonic() - task.since - clock.now()
    bus = Bus(clock)
    events: list[ev.Event] = []
    bus.subscribe(events.append)
    room = QuietRoom(clock)
    devices = room, quiet_sink(clock, "a speaker that nobody hears"), room
    with closing(EngineCache(clock)) as cache, session(task.config, bus, devices, cache) as one:
        rss = int(psutil.Process().memory_info().rss)
        turn = one.ask(task.question, task.variant, task.warm_up)
    about = next(event for event in events if isinstance(event, ev.SessionStarted))
    made = Start(
        variant=task.variant,
        program=round(began - task.since, 4),
        imported=round(imported, 4),
        response_time=turn.response_time,
        rss=rss,
        **timeline(events, zero),
    )
    return StartOutcome(
        start=made, turn=turn, models=about.models, input=about.input, output=about.output
    )


def timeline(events: Sequence[ev.Event], zero: float) -> dict[str, Any]:
    """When each model was loaded, and when it listened and was ready: the fields of a Start, by
    the events of a session that began `zero` seconds after its process. Raises EdgevoiceError if
    it was never ready."""
    began: dict[str, float] = {}
    loads: dict[str, Load] = {}
    reached: dict[str, float] = {}
    for event in events:
        t = round(zero + event.t, 4)
        match event:
            case ev.EngineLoading():
                began[event.role] = t
            case ev.EngineReady() if event.role in began:
                loads[event.role] = Load(model=event.model, began=began[event.role], ready=t)
            case ev.Listening():
                reached.setdefault("listening", t)
            case ev.Ready():
                reached.setdefault("ready", t)
            case _:
                pass
    if len(reached) < 2:
        raise EdgevoiceError("the assistant was never ready", remedy="edgevoice doctor")
    return {"loads": loads, **reached}
