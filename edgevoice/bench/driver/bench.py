"""A whole bench: every question, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.driver.driver import QuestionDriver, session
from edgevoice.bench.driver.engine_cache import EngineCache
from edgevoice.bench.driver.plan import BenchPlan
from edgevoice.bench.driver.player import LoudspeakerPlayer, QuestionPlayer, QuietRoom
from edgevoice.bench.driver.run_state import RunState
from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.bench.result.result import BenchTurn
from edgevoice.bench.result.wording import counted
from edgevoice.bus import Bus, Subscriber
from edgevoice.clock import Clock, SystemClock
from edgevoice.open_devices import echo_free, open_sink, quiet_sink, unwatched_source
from edgevoice.player import Player
from edgevoice.protocols import AudioSource
from edgevoice.settings import Config


class Bench:
    """Runs a plan; `run_state` holds what is done. `trace` is called with every event."""

    def __init__(
        self, plan: BenchPlan, progress: BenchProgress, trace: Subscriber | None = None
    ) -> None:
        self.plan = plan
        self._trace = trace
        self._progress = progress
        self._clock: Clock = SystemClock()
        self._cache = EngineCache(self._clock)
        self.run_state = RunState(plan, self._clock)

    def run(self) -> None:
        """Ask everything. Raises DeviceError, ModelError and what an assistant fails with."""
        with closing(self._cache):
            self._progress.begin("loading the models", 0.0)
            with self._interview() as one:
                self._ask(one)
        self.run_state.finished = True

    def _ask(self, one: QuestionDriver) -> None:
        plan = self.plan
        total = sum(plan.expected(question) for question, _ in plan.asks)
        self._progress.begin(counted(len(plan.questions), "question"), total)
        asked: BenchQuestion | None = None
        for number, (question, warm_up) in enumerate(plan.asks, 1 - plan.warm_ups):
            if plan.begins(question):
                if question is asked:
                    one.wipe()
                one.forget(question.history or ())
            asked = question
            turn = one.ask(question, warm_up=warm_up)
            self.run_state.turns.append(turn)
            where = "warm-up" if warm_up else f"{number}/{len(plan.questions)}"
            self._progress.done(plan.expected(question), f"{where} {line(turn)}")

    @contextmanager
    def _interview(self) -> Iterator[QuestionDriver]:
        config = self.plan.config
        bus = Bus(self._clock)
        bus.subscribe(self.run_state.note)
        if self._trace is not None:
            bus.subscribe(self._trace)
        source, sink, player = self._devices(config)
        if self.plan.through_devices:
            source = echo_free(config, self._clock, bus, source, sink)
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


def line(turn: BenchTurn) -> str:
    """The outcome of a question, in a line that fits a terminal."""
    name, seconds = turn.question, turn.response_time
    outcome = "dropped" if seconds is None else f"{seconds * 1000:.0f} ms"
    outcome += " (cut off)" if turn.cut_off else ""
    return f"{name if len(name) <= 40 else name[:39] + '…'}  {outcome}"
