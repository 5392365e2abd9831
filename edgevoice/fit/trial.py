"""One set of models answers a few questions, without sound devices, in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from statistics import median

from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.driver import driver
from edgevoice.bench.driver.engine_cache import EngineCache
from edgevoice.bench.driver.player import QuietRoom
from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.bench.machine.host import peak_rss
from edgevoice.bench.result.result import BenchTurn
from edgevoice.bus import Bus
from edgevoice.clock import SystemClock
from edgevoice.engines.cpu_budget import used_elsewhere
from edgevoice.errors import EdgevoiceError, EngineError
from edgevoice.fit.record import Answers
from edgevoice.open_devices import quiet_sink
from edgevoice.settings import Config

LOADING, EACH = 8.0, 5.0
"""Seconds that loading the models and asking a question may be expected to take."""

CLEARLY = {1: 2.0, 2: 1.25}
"""Answers → a set is dropped when so many all took at least so many times the budget."""

Ask = Callable[[BenchQuestion, bool], BenchTurn]
"""Asks a question, which may only warm up, and tells what came of it."""
OpenSession = Callable[[Config], AbstractContextManager[Ask]]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a set is asked: the first of the `questions` only warms up."""

    config: Config
    questions: Sequence[BenchQuestion]
    budget: float


@contextmanager
def session(config: Config) -> Iterator[Ask]:
    """The pipeline with the configured models, for as long as the block lasts.

    Every question begins a new conversation. Raises ModelError and what a stage fails with.
    """
    clock = SystemClock()
    room = QuietRoom(clock)
    devices = room, quiet_sink(clock, "a speaker that nobody hears"), room
    with (
        closing(EngineCache(clock)) as cache,
        driver.session(config, Bus(clock), devices, cache) as one,
    ):

        def ask(question: BenchQuestion, warm_up: bool) -> BenchTurn:
            one.forget()
            return one.ask_briefly(question, warm_up=warm_up)

        yield ask


def run(trial: Trial, progress: BenchProgress, opened: OpenSession = session) -> Answers:
    """Ask the questions, and stop early where the budget is clearly exceeded.

    Raises EdgevoiceError if the models cannot be loaded or a stage fails.
    """
    turns: list[BenchTurn] = []
    began, others = time.monotonic(), used_elsewhere()
    try:
        with opened(trial.config) as ask:
            progress.done(LOADING, "loaded")
            for number, question in enumerate(trial.questions):
                turn = ask(question, number == 0)
                progress.done(EACH, told(turn))
                if number:
                    turns.append(turn)
                if hopeless(times(turns), trial.budget):
                    break
    except EdgevoiceError:
        raise
    except Exception as error:  # stages that fail together raise a group of what they met
        raise EngineError(
            f"the models do not answer: {error}", remedy="edgevoice bench run shows why"
        ) from error
    counted = [turn for turn in turns if turn.counts]
    names = dict.fromkeys(name for turn in counted for name in turn.spans)
    return Answers(
        times=tuple(times(turns)),
        asked=len(turns),
        peak_rss=peak_rss(),
        busy=round(max(0.0, used_elsewhere() - others) / (time.monotonic() - began), 2),
        dropped=len(turns) < len(trial.questions) - 1,
        spans={name: median(turn.spans.get(name, 0.0) for turn in counted) for name in names},
    )


def times(turns: Sequence[BenchTurn]) -> list[float]:
    """The response times of the questions that were answered, in seconds."""
    return [turn.response_time for turn in turns if turn.counts and turn.response_time is not None]


def hopeless(found: Sequence[float], budget: float) -> bool:
    """Whether the first response times, in seconds, already exceed the budget clearly."""
    return any(
        len(found) >= count and min(found) > factor * budget for count, factor in CLEARLY.items()
    )


def told(turn: BenchTurn) -> str:
    """What came of one question, in a line that fits a terminal."""
    name = turn.question if len(turn.question) <= 40 else f"{turn.question[:39]}…"
    result = (
        f"not answered: {turn.dropped}"
        if turn.response_time is None
        else f"{turn.response_time:.2f} s"
    )
    return f"{name}  {result}{' (warm-up)' if turn.warm_up else ''}"
