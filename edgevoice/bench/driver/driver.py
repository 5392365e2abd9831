"""One question, asked and answered: when to ask, when it is over, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from edgevoice import events as ev
from edgevoice.assistant import Assistant
from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.driver.engine_cache import EngineCache
from edgevoice.bench.driver.interruption import InterruptedExchange, became, heard_for, parted
from edgevoice.bench.driver.player import WAIT_SLICE, QuestionPlayer
from edgevoice.bench.machine.monitor import NOTHING_SPENT, Meter, Spent, unmeasured
from edgevoice.bench.result.device_record import Idle
from edgevoice.bench.result.result import AS_SET, BenchTurn
from edgevoice.clock import Clock
from edgevoice.crew import Crew
from edgevoice.errors import EdgevoiceError
from edgevoice.protocols import ChatMessage
from edgevoice.rates import rates
from edgevoice.timings import TurnTimings, fold

SETTLED = 0.8
"""Seconds of idleness after which an exchange is over and the next question may be asked."""

ANSWER_PATIENCE = 180.0
"""Seconds after which a question whose answer never ends is given up."""

PRIMING = 300.0
"""Seconds that bringing a conversation into the KV cache may take."""

ELSEWHERE = (ChatMessage("system", "."), ChatMessage("user", "."))
"""A conversation that has nothing in common with any other."""


@dataclass
class QuestionDriver:
    """Puts questions to an assistant that runs, one at a time."""

    assistant: Assistant
    clock: Clock
    player: QuestionPlayer
    cache: EngineCache
    crew: Crew
    meter: Meter = unmeasured

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
        self._wait(self.assistant.is_idle)
        self.settle(self.clock.now() + ANSWER_PATIENCE)

    def wipe(self) -> None:
        """Have nothing in the KV cache that helps to answer again what was answered just now."""
        self.forget()
        for model in self.cache.language_models():
            model.prime(ELSEWHERE, lambda: False)

    def forget(self, past: Sequence[ChatMessage] = ()) -> None:
        """Begin a new conversation, or go on from `past`, and wait until it is in the KV cache."""
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
        """Ask, hear the answer out, and say what came of it."""
        self._events = []
        before = self.meter()
        at = self._put(question)
        self._hear_out()
        spent = (self._when_idle or self.meter()).since(before)
        return judged(question, self._events[:], at, variant, warm_up, spent)

    def ask_briefly(self, question: BenchQuestion, warm_up: bool = False) -> BenchTurn:
        """As `ask`, but interrupt the reply once it is audible: its response time is known then."""
        self._events = []
        at = self._put(question)
        if not self._hear_out(lambda: heard_for(self._events[:], self.clock.now()) is not None):
            self.assistant.interrupt()
            self.settle(self.clock.now() + ANSWER_PATIENCE)
        return judged(question, self._events[:], at, AS_SET, warm_up)

    def ask_over(
        self, question: BenchQuestion, over: BenchQuestion, after: float, variants: tuple[str, str]
    ) -> InterruptedExchange:
        """Ask `question`, and `over` as soon as the reply was audible for `after` seconds.

        The second is not asked where the reply is over before. What the two take of the machine is
        not known apart.
        """
        self._events = []
        at = self._put(question)
        heard = self._hear_out(
            lambda: (heard_for(self._events[:], self.clock.now()) or 0.0) >= after
        )
        if heard:
            return InterruptedExchange((judged(question, self._events[:], at, variants[0], False),))
        began = self.clock.now()
        over_at = self._put(over)
        self._hear_out()
        first, second = parted(self._events[:], began)
        turns = (
            judged(question, first, at, variants[0], False),
            judged(over, second, over_at, variants[1], False),
        )
        return InterruptedExchange(turns, became(first, second, over_at, turns))

    def _put(self, question: BenchQuestion) -> float:
        """Say it; returns the session time at which its first sample was heard."""
        self.cache.set_reply(question.reply)
        at = self.player.say(question.samples)
        self.check()
        return self.clock.now() if at is None else at

    def _hear_out(self, enough: Callable[[], bool] = lambda: False) -> bool:
        """Wait until all is answered and idle; false as soon as it is `enough` before that."""
        if self.settle(self.clock.now() + ANSWER_PATIENCE, enough):
            return True
        if enough():
            return False
        self.assistant.interrupt()
        return self.settle(self.clock.now() + ANSWER_PATIENCE)

    def rest(self, seconds: float) -> Idle | None:
        """Say nothing for so long at least, and tell what listening took; None if unmeasured."""
        self.settle(self.clock.now() + ANSWER_PATIENCE)
        before, began = self.meter(), self.clock.now()
        while (lasted := self.clock.now() - began) < seconds:
            self.check()
            self.clock.sleep(WAIT_SLICE)
        spent = self.meter().since(before)
        if spent.cpu_seconds is None:
            return None
        minutes = lasted / 60
        return Idle(
            seconds=round(lasted, 3),
            cpu_per_minute=round(spent.cpu_seconds / minutes, 3),
            energy_per_minute=None if spent.energy is None else round(spent.energy / minutes, 3),
        )

    def settle(self, end: float, enough: Callable[[], bool] = lambda: False) -> bool:
        """Wait until it has been idle for a while; false if it is not at session time `end`, or
        when it is `enough` before."""
        since: float | None = None
        self._when_idle = None
        while self.clock.now() < end and not enough():
            self.check()
            now = self.clock.now()
            if not self.assistant.is_idle():
                since = None
            elif since is None:
                since, self._when_idle = now, self.meter()
            elif now - since >= SETTLED:
                return True
            self.clock.sleep(0.05)
        return False

    def _wait(self, ready: Callable[[], bool]) -> None:
        with self._monitor:
            while not self._monitor.wait_for(lambda: ready() or self._ended, WAIT_SLICE):
                continue
        self.check()

    def check(self) -> None:
        """Raise what the session ended with, if it has."""
        if not self._ended:
            return
        # The last event comes a moment before the error that it was for.
        with self._monitor:
            self._monitor.wait_for(lambda: bool(self.crew.errors), WAIT_SLICE)
        if self.crew.errors:
            raise self.crew.errors[0]
        raise EdgevoiceError("the session ended before the bench did")


@contextmanager
def interview(
    assistant: Assistant,
    clock: Clock,
    player: QuestionPlayer,
    cache: EngineCache,
    meter: Meter = unmeasured,
) -> Iterator[QuestionDriver]:
    """Runs the assistant for as long as the block lasts; `meter` tells what its turns take."""
    crew = Crew(clock, assistant.close)
    try:
        with crew:
            crew.start("assistant", assistant.run)
            yield QuestionDriver(assistant, clock, player, cache, crew, meter)
    finally:
        player.close()


def judged(
    question: BenchQuestion,
    events: Sequence[ev.Event],
    at: float,
    variant: str,
    warm_up: bool,
    spent: Spent = NOTHING_SPENT,
) -> BenchTurn:
    """What became of `question`, whose first sample was heard at session time `at`, by the events
    from then until everything had settled, and by what was `spent` meanwhile."""
    answers = [timings for timings in fold(events) if timings.gap is not None]
    answer = answers[-1] if answers else None
    spoken = at + question.speech_end
    committed = [e for e in events if isinstance(e, ev.TurnCommitted)]
    asked = {e.turn: e.text for e in events if isinstance(e, ev.FinalTranscript)}
    # What was cut off is an utterance of its own, and was said all the same.
    recognized = " ".join(text for e in committed if (text := asked.get(e.turn, "").strip()))
    return question.turn(
        variant,
        at,
        recognized,
        warm_up=warm_up,
        underruns=sum(e.count for e in events if isinstance(e, ev.Underrun)),
        false_starts=sum(isinstance(e, ev.TurnStarted) and e.replaces is not None for e in events),
        cut_off=any(e.t < spoken for e in committed),
        dropped="" if answer else _why_dropped(events),
        cpu_seconds=spent.cpu_seconds,
        energy=spent.energy,
        **(_answered(answer, events, spoken) if answer else {}),
    )


def _answered(answer: TurnTimings, events: Sequence[ev.Event], spoken: float) -> dict[str, Any]:
    own = [e for e in events if getattr(e, "turn", None) == answer.turn]
    ended = [e.at for e in own if isinstance(e, ev.SpeechEnded)]
    return {
        "response_time": answer.gap,
        "spans": {span.name: span.seconds for span in answer.spans},
        "reply": "".join(
            e.text for e in own if isinstance(e, ev.TokenGenerated | ev.ReplyContinued)
        ).strip(),
        "ttft": answer.ttft,
        "tokens_per_second": answer.tokens_per_second,
        "prompt_tokens": answer.prompt_tokens,
        "reused_tokens": answer.reused_tokens,
        "reply_tokens": answer.reply_tokens,
        "end_error": round(ended[-1] - spoken, 4) if ended else None,
        **rates(own),
    }


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
