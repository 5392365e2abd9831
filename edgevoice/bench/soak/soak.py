"""Turn after turn for hours, with interruptions thrown in; what is done is on disk all the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

from edgevoice.bench.driver.bench import IDLE, Bench, BenchPlan
from edgevoice.bench.driver.driver import QuestionDriver
from edgevoice.bench.driver.interruption import InterruptedExchange
from edgevoice.bench.jobs.progress import BenchProgress, duration
from edgevoice.bench.machine.monitor import SAMPLE_EVERY
from edgevoice.bench.result.device_record import Sample
from edgevoice.bench.result.result import AS_SET, BenchTurn
from edgevoice.bench.result.result_file import ResultFile
from edgevoice.bench.result.soak_record import Soak, SoakInterruption
from edgevoice.bench.result.wording import counted
from edgevoice.bench.soak.steadiness import MB, judged
from edgevoice.bus import Subscriber
from edgevoice.timings import percentile

BARGE_IN = "barge-in"
"""The variant of the questions that interrupt a reply: they are asked in another way."""

INTERRUPT_AFTER = (0.4, 1.2, 0.8)
"""Seconds of a reply that are heard before it is interrupted, in turn."""

LINES = 120
"""As many lines tell of a whole soak at most."""

SAMPLES = 7200
"""As many samples of the device are taken at most: every second for two hours, else more rarely,
so that what the bench itself remembers does not look like a leak."""


@dataclass(frozen=True, slots=True)
class SoakSchedule:
    """For how many seconds to ask, and which replies to interrupt: each `every`th; 0 is none."""

    seconds: float
    every: int


class SoakDriver:
    """Asks the plan's questions over and over; `interruptions` are those so far."""

    def __init__(self, plan: BenchPlan, term: SoakSchedule) -> None:
        self.interruptions: list[SoakInterruption] = []
        self._plan = plan
        self._term = term
        self._began = self._ended = 0.0

    def run(self, one: QuestionDriver, done: Callable[[InterruptedExchange], None]) -> None:
        """Ask until the time is over; every exchange is given to `done` when it is."""
        plan, clock = self._plan, one.clock
        questions = cycle(plan.questions)
        self._began = self._ended = clock.now()
        for question, _ in plan.asks[: plan.warm_ups]:
            self._begin(one)
            done(InterruptedExchange((one.ask(question, warm_up=True),)))
        self._began = self._ended = clock.now()
        number = 0
        while clock.now() < self._began + self._term.seconds:
            number += 1
            self._begin(one)
            if self._term.every and number % self._term.every == 0:
                after = INTERRUPT_AFTER[number // self._term.every % len(INTERRUPT_AFTER)]
                exchange = one.ask_over(next(questions), next(questions), after, (AS_SET, BARGE_IN))
            else:
                exchange = InterruptedExchange((one.ask(next(questions)),))
            if exchange.interruption is not None:
                self.interruptions.append(exchange.interruption)
            self._ended = clock.now()
            done(exchange)

    def _begin(self, one: QuestionDriver) -> None:
        if not self._plan.conversation:
            one.forget()

    def judged(self, turns: Sequence[BenchTurn], samples: Sequence[Sample]) -> Soak:
        """What to make of it so far."""
        return judged(
            turns,
            samples,
            self.interruptions,
            asked_for=self._term.seconds,
            began=self._began,
            ended=self._ended,
            interrupt_every=self._term.every,
        )


class SoakBench(Bench):
    """A bench of one stint, whose result so far is at `where`, if that is a file."""

    def __init__(
        self,
        plan: BenchPlan,
        progress: BenchProgress,
        trace: Subscriber | None,
        where: Path | None,
        term: SoakSchedule,
    ) -> None:
        ways = (AS_SET, BARGE_IN) if term.every else (AS_SET,)
        super().__init__(replace(plan, variants={way: {} for way in ways}), progress, trace)
        self._term = term
        self._stint = SoakDriver(plan, term)
        self._kept = ResultFile(where, progress.say, self._clock.now)
        self._lines = _Lines(progress, self._clock.now, term.seconds / LINES)
        self.run_state.every = max(SAMPLE_EVERY, term.seconds / SAMPLES)
        self.run_state.endurance = lambda samples: self._stint.judged(self.run_state.turns, samples)

    def run(self) -> None:
        """Ask for as long as was asked for. Raises what an assistant fails with."""
        with ExitStack() as stack:
            stack.callback(self._cache.close)
            self._progress.begin("loading the models", 0.0)
            one = stack.enter_context(self._interview({}))
            self._lines.begin(f"{duration(self._term.seconds)} of questions", self._term.seconds)
            self._stint.run(one, self._done)
            self._progress.begin("listening to silence", IDLE)
            self.run_state.idle = one.rest(IDLE)
        self.run_state.finished = True

    def _done(self, exchange: InterruptedExchange) -> None:
        self.run_state.turns += exchange.turns
        self._kept.keep(self.run_state.result)
        samples = self.run_state.samples
        self._lines.add(exchange, samples[-1] if samples else None)


class _Lines:
    """A line of progress whenever `every` seconds have passed, for all that was done in them."""

    def __init__(self, progress: BenchProgress, now: Callable[[], float], every: float) -> None:
        self._progress = progress
        self._now = now
        self._every = every
        self._told = self._began = 0.0
        self._since: list[InterruptedExchange] = []

    def begin(self, what: str, seconds: float) -> None:
        self._progress.begin(what, seconds)
        self._told = self._began = self._now()

    def add(self, exchange: InterruptedExchange, sample: Sample | None) -> None:
        self._since.append(exchange)
        now = self._now()
        if now - self._told >= self._every:
            text = f"{duration(now - self._began)}: {line(self._since, sample)}"
            self._progress.done(now - self._told, text)
            self._told, self._since = now, []


def line(exchanges: Sequence[InterruptedExchange], sample: Sample | None) -> str:
    """What came of some exchanges, and the device after them."""
    turns = [turn for exchange in exchanges for turn in exchange.turns]
    gaps = [turn.response_time for turn in turns if turn.response_time is not None]
    parts = [counted(len(turns), "turn")]
    p50, p95 = percentile(gaps, 0.5), percentile(gaps, 0.95)
    if p50 is not None and p95 is not None:
        more = f", p95 {p95 * 1000:.0f}" if len(gaps) > 1 else ""
        parts.append(f"gap {p50 * 1000:.0f} ms{more}")
    if lost := len(turns) - len(gaps):
        parts.append(f"{lost} not answered")
    thrown_in = (exchange.interruption for exchange in exchanges)
    parts += [f"interruption {each.outcome}" for each in thrown_in if each is not None]
    if sample is not None:
        parts.append(f"{sample.rss / MB:.0f} MB")
        if sample.temperature is not None:
            parts.append(f"{sample.temperature:.0f} °C")
    return ", ".join(parts)
