"""A whole bench: every question through every variant, and what is known of it at any moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from edgevoice import events as ev
from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.driver.baseline import SequentialBaseline
from edgevoice.bench.driver.driver import QuestionDriver, interview
from edgevoice.bench.driver.engine_cache import EngineCache
from edgevoice.bench.driver.player import LoudspeakerPlayer, QuestionPlayer, QuietRoom
from edgevoice.bench.driver.run_state import RunState, changed
from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.bench.result.result import AS_SET, BASELINE, BenchTurn
from edgevoice.bench.result.wording import counted
from edgevoice.build import build, echo_free, open_sink, quiet_sink, unwatched_source
from edgevoice.bus import Bus, Subscriber
from edgevoice.clock import Clock, SystemClock
from edgevoice.protocols import AudioSink, AudioSource
from edgevoice.settings import Config

ANSWER_SECONDS = 5.0
"""Seconds that hearing an answer out may be expected to take."""

IDLE = 6.0
"""Seconds of silence at the end, in which it is seen what listening takes."""

STARTING = 3.0
"""Seconds that an assistant with engines at hand may be expected to take to be ready."""


@dataclass(frozen=True, kw_only=True)
class BenchPlan:
    """What is to be measured. `variants` are names and the settings that each changes; the first
    one changes none."""

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
    rest: float = IDLE
    stages: Sequence[str] = ()
    """Of `stages`: which of them, in their order."""
    repeat: int = 1
    """How many times: of `stages` all questions, of `starts` each kind of start."""

    @property
    def asks(self) -> list[tuple[BenchQuestion, bool]]:
        """The questions in order, each with whether it only warms up."""
        warming = [(self.questions[i % len(self.questions)], True) for i in range(self.warm_ups)]
        return [*warming, *((question, False) for question in self.questions)]

    def begins(self, question: BenchQuestion) -> bool:
        """Whether nothing that was asked before is remembered when it is asked."""
        if not self.conversation:
            return True
        # Of a recorded conversation the beginning counts, and what was forgotten is again.
        first = question is self.questions[0]
        return question.history is not None and (first or not question.history)

    def expected(self, question: BenchQuestion) -> float:
        """Seconds that one question will take with all its variants, roughly."""
        once = question.seconds + ANSWER_SECONDS + (STARTING if len(self.variants) > 1 else 0.0)
        return once * len(self.variants) + (ANSWER_SECONDS if self.baseline else 0.0)


class Bench:
    """Runs a plan; what is done is in `run_state` at any moment.

    `trace` is called with every event of every session.
    """

    def __init__(
        self, plan: BenchPlan, progress: BenchProgress, trace: Subscriber | None = None
    ) -> None:
        self.plan = plan
        self._trace = trace
        self._progress = progress
        self._asked: BenchQuestion | None = None
        self._clock: Clock = SystemClock()
        self._cache = EngineCache(self._clock)
        self.run_state = RunState(
            plan.command,
            plan.config,
            plan.source,
            plan.left_out,
            {**plan.variants, **({BASELINE: {}} if plan.baseline else {})},
            self._clock,
        )
        self.run_state.played_to = plan.play_to
        self.run_state.conversation = plan.conversation
        self.run_state.compared = (AS_SET, BASELINE) if plan.baseline else None

    def run(self) -> None:
        """Ask everything. Raises DeviceError, ModelError and whatever else an assistant does."""
        plan = self.plan
        with ExitStack() as stack:
            stack.callback(self._cache.close)
            if len(plan.variants) == 1:
                self._progress.begin("loading the models", 0.0)
            kept = stack.enter_context(self._interview({})) if len(plan.variants) == 1 else None
            sequence: SequentialBaseline | None = None
            self._progress.begin(
                counted(len(plan.questions), "question"),
                sum(plan.expected(q) for q, _ in plan.asks),
            )
            for number, (question, warm_up) in enumerate(plan.asks, 1 - plan.warm_ups):
                made = []
                for name, changes in plan.variants.items():
                    if kept is not None:
                        made.append(self._ask(kept, question, name, warm_up))
                        continue
                    with self._interview(changes) as one:
                        made.append(self._ask(one, question, name, warm_up))
                if plan.baseline and kept is not None:
                    # Otherwise the end of one would still be worked on in the other's time.
                    kept.forget()
                    sequence = sequence or self._sequence()
                    self._cache.set_reply(question.reply)
                    made.append(sequence.ask(question, warm_up))
                self.run_state.turns += made
                where = "warm-up" if warm_up else f"{number}/{len(plan.questions)}"
                self._progress.done(plan.expected(question), f"{where} {line(made)}")
            if kept is not None and plan.rest:
                self._progress.begin("listening to silence", plan.rest)
                self.run_state.idle = kept.rest(plan.rest)
        self.run_state.finished = True

    def _ask(
        self, one: QuestionDriver, question: BenchQuestion, name: str, warm_up: bool
    ) -> BenchTurn:
        if self.plan.begins(question):
            if question is self._asked:
                one.wipe()
            one.forget(question.history or ())
        self._asked = question
        return one.ask(question, name, warm_up)

    @contextmanager
    def _interview(self, changes: Mapping[str, Any]) -> Iterator[QuestionDriver]:
        config = changed(self.plan.config, changes)
        clock = self._clock
        bus = Bus(clock)
        bus.subscribe(self._note)
        if self._trace is not None:
            bus.subscribe(self._trace)
        source, sink, player = self._devices(config)
        if self.plan.through_devices:
            source = echo_free(config, clock, bus, source, sink)
        try:
            fetch = self._cache.fetch(config)
            assistant = build(config, clock, bus, source, sink, fetch=fetch, shapes=True)
        except BaseException:
            for device in (source, sink, player):
                device.close()
            raise
        self._sink = sink
        with interview(assistant, clock, player, self._cache, self.run_state.spent) as one:
            one.wait_until_ready()
            yield one

    def _devices(self, config: Config) -> tuple[AudioSource, AudioSink, QuestionPlayer]:
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
            player = LoudspeakerPlayer(clock, Loudspeaker(clock, self.plan.play_to))
            opened.pop_all()
            return microphone, speaker, player

    def _sequence(self) -> SequentialBaseline:
        from edgevoice.engines.piper import Piper
        from edgevoice.engines.whisper_plain import PlainWhisper
        from edgevoice.models.store import Store

        config = self.plan.config
        store = Store(config)
        whole = changed(config, WHOLE)
        return SequentialBaseline(
            config,
            self._clock,
            PlainWhisper(store.choose("stt").path, config.stt).transcribe,
            self._cache.language_models()[0],
            Piper(store.choose("tts").path, whole.tts),
            self._sink,
        )

    def _note(self, event: ev.Event) -> None:
        run_state = self.run_state
        if isinstance(event, ev.SessionStarted) and not run_state.models:
            run_state.models, run_state.input, run_state.output = (
                event.models,
                event.input,
                event.output,
            )


WHOLE: Mapping[str, Any] = {"tts.stream": False}
"""Settings with which the voice makes a clause whole."""


def line(turns: Sequence[BenchTurn]) -> str:
    """What came of one question, in a line that fits a terminal."""
    told = ", ".join(_told(turn) for turn in turns)
    name = turns[0].question
    return f"{name if len(name) <= 40 else name[:39] + '…'}  {told}"


def _told(turn: BenchTurn) -> str:
    gap = "dropped" if turn.response_time is None else f"{turn.response_time * 1000:.0f} ms"
    return f"{gap} (cut off)" if turn.cut_off else gap
