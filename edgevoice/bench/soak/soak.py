"""Turns for hours, with interruptions; what is done is on disk all the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path

from edgevoice import files
from edgevoice.bench.driver.bench import Bench
from edgevoice.bench.driver.driver import QuestionDriver
from edgevoice.bench.driver.interruption import InterruptedExchange
from edgevoice.bench.driver.plan import BenchPlan
from edgevoice.bench.jobs.progress import BenchProgress, duration
from edgevoice.bench.machine.monitor import SAMPLE_EVERY
from edgevoice.bench.result.device_record import Sample
from edgevoice.bench.result.result import AS_SET, BenchResult, BenchTurn, encoded
from edgevoice.bench.result.soak_record import Soak, SoakInterruption
from edgevoice.bench.result.wording import counted
from edgevoice.bench.soak.steadiness import MB, judged
from edgevoice.bus import Subscriber
from edgevoice.timings import percentile

BARGE_IN = "barge-in"
"""The variant of the questions that interrupt a reply: they are asked in another way."""
INTERRUPT_AFTER = (0.4, 1.2, 0.8)
"""Seconds of a reply before it is interrupted, in turn."""
LINES = 120  # lines of progress of a whole soak, at most
SAMPLES = 7200  # samples of the device, at most: more would look like a leak
WRITE_EVERY = 60.0  # seconds from one write of the result so far to the next


class SoakDriver:
    """Asks the plan's questions over and over; `interruptions` are those so far."""

    def __init__(self, plan: BenchPlan) -> None:
        self.interruptions: list[SoakInterruption] = []
        self._plan = plan
        self._began = self._ended = 0.0

    def run(self, one: QuestionDriver, done: Callable[[InterruptedExchange], None]) -> None:
        """Ask until the time is over; `done` takes every exchange that has ended."""
        plan, clock, every = self._plan, one.clock, self._plan.interrupt_every
        questions = cycle(plan.questions)
        self._began = self._ended = clock.now()
        for question, _ in plan.asks[: plan.warm_ups]:
            self._begin(one)
            done(InterruptedExchange((one.ask(question, warm_up=True),)))
        self._began = self._ended = clock.now()
        number = 0
        while clock.now() < self._began + plan.seconds:
            number += 1
            self._begin(one)
            if every and number % every == 0:
                after = INTERRUPT_AFTER[number // every % len(INTERRUPT_AFTER)]
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
        """The verdict so far."""
        return judged(
            turns,
            samples,
            self.interruptions,
            asked_for=self._plan.seconds,
            began=self._began,
            ended=self._ended,
            interrupt_every=self._plan.interrupt_every,
        )


class ResultFile:
    """Writes the result so far to `where`, unless that is None. `now` is the session time; `say`
    gets the first of several failures, for example of a full disk."""

    def __init__(
        self, where: Path | None, say: Callable[[str], None], now: Callable[[], float]
    ) -> None:
        self._where, self._say, self._now = where, say, now
        self._due = now() + WRITE_EVERY
        self._failing = False

    def keep(self, made: Callable[[], BenchResult]) -> None:
        """Write the result if it is time to."""
        if self._where is None or self._now() < self._due:
            return
        try:
            files.replace(self._where, [encoded(made())])
            self._failing = False
        except OSError as error:
            if not self._failing:
                self._say(f"what was measured cannot be kept for now: {error.strerror}")
            self._failing = True
        self._due = self._now() + WRITE_EVERY


class SoakBench(Bench):
    """A bench that asks for hours, and writes its result so far to `where`, unless that is None."""

    def __init__(
        self, plan: BenchPlan, progress: BenchProgress, trace: Subscriber | None, where: Path | None
    ) -> None:
        ways = (AS_SET, BARGE_IN) if plan.interrupt_every else (AS_SET,)
        super().__init__(replace(plan, variants=ways), progress, trace)
        self._driver = SoakDriver(plan)
        self._file = ResultFile(where, progress.say, self._clock.now)
        self._began = self._reported = 0.0
        self._unreported: list[InterruptedExchange] = []
        self.run_state.every = max(SAMPLE_EVERY, plan.seconds / SAMPLES)
        self.run_state.endurance = lambda samples: self._driver.judged(
            self.run_state.turns, samples
        )

    def _ask(self, one: QuestionDriver) -> None:
        seconds = self.plan.seconds
        self._progress.begin(f"{duration(seconds)} of questions", seconds)
        self._began = self._reported = self._clock.now()
        self._driver.run(one, self._done)

    def _done(self, exchange: InterruptedExchange) -> None:
        self.run_state.turns += exchange.turns
        self._file.keep(self.run_state.result)
        self._unreported.append(exchange)
        now = self._clock.now()
        if now - self._reported >= self.plan.seconds / LINES:
            sample = next(reversed(self.run_state.samples), None)
            text = f"{duration(now - self._began)}: {line(self._unreported, sample)}"
            self._progress.done(now - self._reported, text)
            self._reported, self._unreported = now, []


def line(exchanges: Sequence[InterruptedExchange], sample: Sample | None) -> str:
    """The outcome of some exchanges, and the device after them."""
    turns = [turn for exchange in exchanges for turn in exchange.turns]
    response_times = [turn.response_time for turn in turns if turn.response_time is not None]
    parts = [counted(len(turns), "turn")]
    p50, p95 = percentile(response_times, 0.5), percentile(response_times, 0.95)
    if p50 is not None and p95 is not None:
        more = f", p95 {p95 * 1000:.0f}" if len(response_times) > 1 else ""
        parts.append(f"response time {p50 * 1000:.0f} ms{more}")
    if lost := len(turns) - len(response_times):
        parts.append(f"{lost} not answered")
    interruptions = (exchange.interruption for exchange in exchanges)
    parts += [f"interruption {each.outcome}" for each in interruptions if each is not None]
    if sample is not None:
        parts.append(f"{sample.rss / MB:.0f} MB")
        if sample.temperature is not None:
            parts.append(f"{sample.temperature:.0f} °C")
    return ", ".join(parts)
