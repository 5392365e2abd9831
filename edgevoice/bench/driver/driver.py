"""Asks an assistant one question after the other, and says what came of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from edgevoice import events as ev
from edgevoice.assistant import Assistant
from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.corpus.wall import WALL
from edgevoice.bench.driver.engine_cache import EngineCache
from edgevoice.bench.driver.interruption import InterruptedExchange, became, heard_for, parted
from edgevoice.bench.driver.player import WAIT_SLICE, QuestionPlayer
from edgevoice.bench.machine.monitor import Meter, Spent
from edgevoice.bench.result.result import AS_SET, BenchTurn
from edgevoice.build import build
from edgevoice.bus import Bus
from edgevoice.clock import Clock
from edgevoice.context import AudioIO, SessionContext
from edgevoice.crew import Crew
from edgevoice.errors import EdgevoiceError
from edgevoice.player import Player
from edgevoice.protocols import AudioSource, ChatMessage
from edgevoice.rates import rates
from edgevoice.settings import Config
from edgevoice.timings import fold

SETTLED_IDLE_SECONDS = 0.8
"""Seconds of idleness that end an exchange."""

ANSWER_PATIENCE = 180.0
"""Seconds after which a question without an end is given up."""

PRIMING = 300.0
"""Most seconds to bring a conversation into the KV cache."""

ELSEWHERE = (ChatMessage("system", "."), ChatMessage("user", "."))
"""A conversation that has nothing in common with any other."""


@dataclass
class QuestionDriver:
    """Puts questions to a running assistant, one at a time."""

    assistant: Assistant
    clock: Clock
    player: QuestionPlayer | None
    cache: EngineCache
    crew: Crew
    meter: Meter = Spent

    def __post_init__(self) -> None:
        self._events: list[ev.Event] = []
        self._monitor = self.clock.monitor()
        self._ended = False
        self._when_idle: Spent | None = None
        self.assistant.bus.subscribe(self._note)

    def _note(self, event: ev.Event) -> None:
        self._events.append(event)
        self._ended = self._ended or isinstance(event, ev.SessionEnded)

    def wait_until_ready(self) -> None:
        """Wait until everything is loaded and warm. Raises what the assistant failed with."""

        def ready() -> bool:
            return self._ended or self.assistant.is_idle()

        with self._monitor:
            while not self._monitor.wait_for(ready, WAIT_SLICE):
                continue
        self.settle()

    def wipe(self) -> None:
        """Remove from the KV cache what was answered just now."""
        self.forget()
        for model in self.cache.language_models():
            model.prime(ELSEWHERE, lambda: False)

    def forget(self, past: Sequence[ChatMessage] = ()) -> None:
        """Start a new conversation, or continue `past`, and wait until it is in the KV cache."""
        began = self.clock.now()
        self.assistant.new_conversation(past)
        messages = self.assistant.history.messages
        self.cache.wait_for_prime(
            messages, began, lambda: self._ended or self.clock.now() > began + PRIMING
        )
        self.check()

    def ask(
        self, question: BenchQuestion, variant: str = AS_SET, warm_up: bool = False
    ) -> BenchTurn:
        """Ask, and wait for the end of the answer."""
        before = self.meter()
        at = self._put(question, fresh=True)
        self._hear_out()
        spent = (self._when_idle or self.meter()).since(before)
        turn = judged(question, self._events[:], at, variant, warm_up)
        return replace(turn, cpu_seconds=spent.cpu_seconds, energy=spent.energy)

    def ask_briefly(self, question: BenchQuestion, warm_up: bool = False) -> BenchTurn:
        """As `ask`, but interrupt the reply once it is audible: its response time is known then."""
        at = self._put(question, fresh=True)
        if not self._hear_out(until_heard=0.0):
            self.assistant.interrupt()
            self.settle()
        return judged(question, self._events[:], at, AS_SET, warm_up)

    def ask_over(
        self, question: BenchQuestion, over: BenchQuestion, after: float, variants: tuple[str, str]
    ) -> InterruptedExchange:
        """Ask `question`, and ask `over` when the reply was audible for `after` seconds.

        The second is not asked if the reply ends before. Their CPU time and energy are unknown.
        """
        at = self._put(question, fresh=True)
        if self._hear_out(until_heard=after):
            return InterruptedExchange((judged(question, self._events[:], at, variants[0]),))
        began = self.clock.now()
        over_at = self._put(over)
        self._hear_out()
        first, second = parted(self._events[:], began)
        turns = (
            judged(question, first, at, variants[0]),
            judged(over, second, over_at, variants[1]),
        )
        return InterruptedExchange(turns, became(first, second, over_at, turns))

    def _put(self, question: BenchQuestion, fresh: bool = False) -> float:
        """Play it; returns the session time of its first sample. `fresh` forgets earlier events."""
        if fresh:
            self._events = []
        self.cache.set_reply(question.reply)
        at = self.player.say(question.samples) if self.player else None
        self.check()
        return self.clock.now() if at is None else at

    def _hear_out(self, until_heard: float | None = None) -> bool:
        """Wait until all is answered and idle; false once a reply is audible for that long."""

        def enough() -> bool:
            heard = heard_for(self._events[:], self.clock.now())
            return until_heard is not None and heard is not None and heard >= until_heard

        if self.settle(enough=enough):
            return True
        if enough():
            return False
        self.assistant.interrupt()
        return self.settle()

    def settle(
        self, patience: float = ANSWER_PATIENCE, enough: Callable[[], bool] = lambda: False
    ) -> bool:
        """Wait until it has been idle for a while; false after `patience` seconds, or once it is
        `enough`."""
        end = self.clock.now() + patience
        since: float | None = None
        self._when_idle = None
        while self.clock.now() < end and not enough():
            self.check()
            now = self.clock.now()
            if not self.assistant.is_idle():
                since = None
            elif since is None:
                since, self._when_idle = now, self.meter()
            elif now - since >= SETTLED_IDLE_SECONDS:
                return True
            self.clock.sleep(0.05)
        return False

    def check(self) -> None:
        """Raise what the session ended with, if it has ended."""
        if not self._ended:
            return
        # The last event comes a moment before its error.
        with self._monitor:
            self._monitor.wait_for(lambda: bool(self.crew.errors), WAIT_SLICE)
        if self.crew.errors:
            raise self.crew.errors[0]
        raise EdgevoiceError("the session ended before the bench did")


@contextmanager
def interview(
    assistant: Assistant,
    clock: Clock,
    player: QuestionPlayer | None,
    cache: EngineCache,
    meter: Meter = Spent,
) -> Iterator[QuestionDriver]:
    """Runs the assistant for as long as the block lasts; `meter` measures what its turns take."""
    crew = Crew(clock, assistant.close)
    with ExitStack() as opened:
        if player is not None:
            opened.callback(player.close)
        with crew:
            crew.start("assistant", assistant.run)
            yield QuestionDriver(assistant, clock, player, cache, crew, meter)


@contextmanager
def session(
    config: Config,
    bus: Bus,
    devices: tuple[AudioSource, Player, QuestionPlayer | None],
    cache: EngineCache,
    meter: Meter = Spent,
) -> Iterator[QuestionDriver]:
    """The pipeline with the configured models, ready for questions. Closes the devices.

    Raises ModelError and what the assistant fails with.
    """
    source, sink, player = devices
    try:
        context = SessionContext(config, bus.clock, bus, wall=lambda: WALL)
        assistant = build(context, AudioIO(source, sink), pool=cache)
    except BaseException:
        for device in devices:
            if device is not None:
                device.close()
        raise
    with interview(assistant, bus.clock, player, cache, meter) as one:
        one.wait_until_ready()
        yield one


def judged(
    question: BenchQuestion,
    events: Sequence[ev.Event],
    at: float,
    variant: str,
    warm_up: bool = False,
) -> BenchTurn:
    """The outcome of `question`, whose first sample was heard at session time `at`, from all events
    until the assistant was idle."""
    answer = next((t for t in reversed(fold(events)) if t.response_time is not None), None)
    spoken = at + question.speech_end
    committed = [e for e in events if isinstance(e, ev.TurnCommitted)]
    said = {e.turn: e.text.strip() for e in events if isinstance(e, ev.FinalTranscript)}
    found: dict[str, Any] = {"dropped": _why_dropped(events)}
    if answer is not None:
        own = [e for e in events if getattr(e, "turn", None) == answer.turn]
        ended = [e.at for e in own if isinstance(e, ev.SpeechEnded)]
        names = (
            *("response_time", "ttft", "tokens_per_second"),
            *("prompt_tokens", "reused_tokens", "reply_tokens"),
        )
        found = {
            **{name: getattr(answer, name) for name in names},
            "spans": {span.name: span.seconds for span in answer.spans},
            "reply": _written(own),
            "end_error": round(ended[-1] - spoken, 4) if ended else None,
            **rates(own),
        }
    return question.turn(
        variant,
        at,
        # A question that was cut off has several turns.
        " ".join(text for e in committed if (text := said.get(e.turn))),
        warm_up=warm_up,
        underruns=sum(e.count for e in events if isinstance(e, ev.Underrun)),
        false_starts=sum(isinstance(e, ev.TurnStarted) and e.replaces is not None for e in events),
        cut_off=any(e.t < spoken for e in committed),
        **found,
    )


def _written(events: Sequence[ev.Event]) -> str:
    """The text of a reply, without what was taken back."""
    text = ""
    for event in events:
        if isinstance(event, ev.TokenGenerated | ev.ReplyContinued):
            text += event.text
        elif isinstance(event, ev.ReplyRevised):
            text = text[: event.start]
    return text.strip()


def _why_dropped(events: Sequence[ev.Event]) -> str:
    for event in reversed(events):
        match event:
            case ev.StageFailed():
                return f"{event.stage} failed: {event.what}"
            case ev.TurnCancelled():
                reason = event.reason.replace("_", " ")
                return f"{reason}: {event.detail}" if event.detail else reason
            case ev.TurnCompleted():
                return "the reply was empty"
            case _:
                continue
    return "no speech was noticed"
