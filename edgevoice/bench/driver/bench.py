"""A whole bench: every question through every variant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from edgevoice import events as ev
from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.driver.baseline import SequentialBaseline
from edgevoice.bench.driver.driver import QuestionDriver, session
from edgevoice.bench.driver.engine_cache import EngineCache
from edgevoice.bench.driver.player import LoudspeakerPlayer, QuestionPlayer, QuietRoom
from edgevoice.bench.driver.run_state import RunState, changed
from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.bench.result.result import AS_SET, BASELINE, BenchTurn
from edgevoice.bench.result.wording import counted
from edgevoice.build import echo_free, open_sink, quiet_sink, unwatched_source
from edgevoice.bus import Bus, Subscriber
from edgevoice.clock import Clock, SystemClock
from edgevoice.player import Player
from edgevoice.protocols import AudioSource
from edgevoice.settings import Config

ANSWER_SECONDS = 5.0
"""Seconds that an answer may be expected to take."""

IDLE_SECONDS = 6.0
"""Seconds of silence at the end, in which the idle consumption is measured."""

STARTING = 3.0
"""Seconds that an assistant with loaded engines may be expected to take to be ready."""


@dataclass(frozen=True, kw_only=True)
class BenchPlan:
    """What to measure. `variants` are names and the settings that each changes; the first changes
    none."""

    command: str
    config: Config
    questions: Sequence[BenchQuestion]
    source: str
    left_out: Sequence[str] = ()
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {AS_SET: {}})
    warm_ups: int = 1
    conversation: bool = False
    baseline: bool = False
    through_devices: bool = False
    play_to: str = ""
    rest: float = IDLE_SECONDS
    stages: Sequence[str] = ()
    """For `stages`: the stages, in order."""
    repeat: int = 1
    """For `stages`: runs of all questions. For `starts`: starts of each kind."""

    @property
    def asks(self) -> list[tuple[BenchQuestion, bool]]:
        """The questions in order, each with whether it only warms up."""
        warming = [(self.questions[i % len(self.questions)], True) for i in range(self.warm_ups)]
        return [*warming, *((question, False) for question in self.questions)]

    def begins(self, question: BenchQuestion) -> bool:
        """Whether a new conversation begins with it."""
        if not self.conversation:
            return True
        # A recorded conversation begins with the first question, and where it was forgotten.
        first = question is self.questions[0]
        return question.history is not None and (first or not question.history)

    def expected(self, question: BenchQuestion) -> float:
        """Seconds that one question will take with all its variants, roughly."""
        once = question.seconds + ANSWER_SECONDS + (STARTING if len(self.variants) > 1 else 0.0)
        return once * len(self.variants) + (ANSWER_SECONDS if self.baseline else 0.0)


class Bench:
    """Runs a plan; `run_state` holds what is done. `trace` is called with every event."""

    def __init__(
        self, plan: BenchPlan, progress: BenchProgress, trace: Subscriber | None = None
    ) -> None:
        self.plan = plan
        self._trace = trace
        self._progress = progress
        self._asked: BenchQuestion | None = None
        self._clock: Clock = SystemClock()
        self._cache = EngineCache(self._clock)
        self._sequence: SequentialBaseline | None = None
        variants = {**plan.variants, **({BASELINE: {}} if plan.baseline else {})}
        self.run_state = RunState(
            plan.command, plan.config, plan.source, plan.left_out, variants, self._clock
        )
        self.run_state.played_to = plan.play_to
        self.run_state.conversation = plan.conversation
        self.run_state.compared = (AS_SET, BASELINE) if plan.baseline else None

    def run(self) -> None:
        """Ask everything. Raises DeviceError, ModelError and what an assistant fails with."""
        plan = self.plan
        with ExitStack() as stack:
            stack.callback(self._cache.close)
            kept = None
            if len(plan.variants) == 1:
                self._progress.begin("loading the models", 0.0)
                kept = stack.enter_context(self._interview({}))
            total = sum(plan.expected(question) for question, _ in plan.asks)
            self._progress.begin(counted(len(plan.questions), "question"), total)
            for number, (question, warm_up) in enumerate(plan.asks, 1 - plan.warm_ups):
                made = [
                    self._ask(name, changes, question, warm_up, kept)
                    for name, changes in plan.variants.items()
                ]
                if plan.baseline and kept is not None:
                    made.append(self._ask_plainly(kept, question, warm_up))
                self.run_state.turns += made
                where = "warm-up" if warm_up else f"{number}/{len(plan.questions)}"
                self._progress.done(plan.expected(question), f"{where} {line(made)}")
            if kept is not None and plan.rest:
                self._progress.begin("listening to silence", plan.rest)
                self.run_state.idle = kept.rest(plan.rest)
        self.run_state.finished = True

    def _ask(
        self,
        name: str,
        changes: Mapping[str, Any],
        question: BenchQuestion,
        warm_up: bool,
        kept: QuestionDriver | None,
    ) -> BenchTurn:
        with ExitStack() as stack:
            one = kept or stack.enter_context(self._interview(changes))
            if self.plan.begins(question):
                if question is self._asked:
                    one.wipe()
                one.forget(question.history or ())
            self._asked = question
            return one.ask(question, name, warm_up)

    def _ask_plainly(
        self, kept: QuestionDriver, question: BenchQuestion, warm_up: bool
    ) -> BenchTurn:
        # The assistant must not still work on its own answer meanwhile.
        kept.forget()
        self._sequence = self._sequence or SequentialBaseline.of(
            self.plan.config, self._clock, self._cache.language_models()[0], self._sink
        )
        self._cache.set_reply(question.reply)
        return self._sequence.ask(question, warm_up)

    @contextmanager
    def _interview(self, changes: Mapping[str, Any]) -> Iterator[QuestionDriver]:
        config = changed(self.plan.config, changes)
        bus = Bus(self._clock)
        bus.subscribe(self._note)
        if self._trace is not None:
            bus.subscribe(self._trace)
        source, sink, player = self._devices(config)
        if self.plan.through_devices:
            source = echo_free(config, self._clock, bus, source, sink)
        self._sink = sink
        devices = source, sink, player
        with session(config, bus, devices, self._cache, self.run_state.spent) as one:
            yield one

    def _devices(self, config: Config) -> tuple[AudioSource, Player, QuestionPlayer]:
        clock = self._clock
        if not self.plan.through_devices:
            room = QuietRoom(clock)
            return room, quiet_sink(clock, "a speaker that nobody hears"), room
        from edgevoice.devices.portaudio import Loudspeaker

        with ExitStack() as opened:
            microphone = unwatched_source(config, clock)
            opened.callback(microphone.close)
            speaker = open_sink(config, clock)
            opened.callback(speaker.close)
            player = LoudspeakerPlayer(clock, Player(clock, Loudspeaker(clock, self.plan.play_to)))
            opened.pop_all()
            return microphone, speaker, player

    def _note(self, event: ev.Event) -> None:
        state = self.run_state
        if isinstance(event, ev.SessionStarted) and not state.models:
            state.models, state.input, state.output = event.models, event.input, event.output


def line(turns: Sequence[BenchTurn]) -> str:
    """The outcome of one question, in a line that fits a terminal."""
    name = turns[0].question
    outcomes = (
        ("dropped" if turn.response_time is None else f"{turn.response_time * 1000:.0f} ms")
        + (" (cut off)" if turn.cut_off else "")
        for turn in turns
    )
    return f"{name if len(name) <= 40 else name[:39] + '…'}  {', '.join(outcomes)}"
