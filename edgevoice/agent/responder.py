"""The agent's stage: lets it compute ahead during speech, and passes its reply on in clauses."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

from edgevoice import events as ev
from edgevoice.agent.reply_writer import ReplyWriter, report_prefilled
from edgevoice.agent.speculation import SpeculativeReply
from edgevoice.agent.speech_rate import SpeechRates
from edgevoice.context import StageContext
from edgevoice.history import Reply
from edgevoice.mailbox import Mailbox
from edgevoice.messages import (
    AgentInput,
    Announcement,
    ClauseToSpeak,
    EndOfReply,
    FinalQuestion,
    PartialQuestion,
    Prefill,
    SpokenCue,
    agent_input_is_dead,
)
from edgevoice.protocols import Agent, AgentOutput, ChatMessage, Prefilled, Stopped, Token
from edgevoice.transcription.local_agreement import respelled
from edgevoice.turn import Turn
from edgevoice.turn_taking.continuation import wants_more

SPECULATED_TOKENS = 24
"""Most tokens of a speculative reply before the question is final."""


class Responder:
    """Owns the agent; runs in its own thread."""

    def __init__(
        self,
        context: StageContext,
        agent: Callable[[], Agent],
        inbox: Mailbox[AgentInput],
        outbox: Mailbox[ClauseToSpeak | EndOfReply | SpokenCue],
        speech_rates: SpeechRates,
    ) -> None:
        self._context = context
        self._config = context.config
        self._load_agent = agent
        self._floor = context.floor
        self._history = context.history
        self._failures = context.failures
        self._bus = context.bus
        self._inbox = inbox
        self._outbox = outbox
        self._loaded = context.loaded
        self._speech_rates = speech_rates
        self._agent: Agent | None = None
        self._prompt_loaded = False
        self._speculation: SpeculativeReply | None = None
        self._prefilled = ""
        """The first words of the question that are in the KV cache."""

    def load(self) -> None:
        """Load the agent; runs in its own thread, so that capture need not wait for it.

        Raises ModelError.
        """
        agent = self._load_agent()
        with self._floor.monitor:
            self._agent = agent
            self._floor.monitor.notify_all()
        self._inbox.put(Prefill())
        self._loaded("model")

    def run(self) -> None:
        """Run until the inbox is closed."""
        try:
            while (item := self._inbox.get()) is not None:
                match item:
                    case PartialQuestion():
                        self._prepare(item)
                    case Prefill():
                        self._prefill_history()
                    case Announcement():
                        try:
                            self._announce(item)
                        finally:
                            self._outbox.put(EndOfReply(item.turn))
                    case FinalQuestion():
                        try:
                            self._answer(item)
                        finally:
                            self._outbox.put(EndOfReply(item.turn))
        finally:
            self._inbox.close()
            self._outbox.close()

    def close(self) -> None:
        """Close the agent; only after `run` has returned."""
        if self._agent is not None:
            self._agent.close()

    def _loaded_agent(self, turn: Turn) -> Agent | None:
        """Wait for the agent; None if the turn was cancelled meanwhile."""
        with self._floor.monitor:
            self._floor.monitor.wait_for(lambda: self._agent is not None or turn.cancelled)
            return self._agent

    def _prefill_history(self) -> None:
        with self._floor.monitor:
            agent, messages = self._agent, self._history.messages
            lead = self._history.asking("")
        if agent is not None:
            try:
                agent.prepare(messages, lambda: not self._inbox.empty)
                # When the user speaks, at most the time of day is evaluated again.
                agent.prepare(lead, lambda: not self._inbox.empty)
            except Exception as error:
                self._failures.report("agent", None, error)
            if not self._prompt_loaded:
                self._prompt_loaded = True
                self._loaded("prompt")

    def _prepare(self, partial: PartialQuestion) -> None:
        """Prefill an incomplete question, or start a speculative reply to it."""
        turn, agent = partial.turn, self._agent
        # Until the earlier turns are settled, the history before the question is unknown.
        if agent is None or self._floor.turns.waits_for_earlier(turn):
            return
        if self._speculation is None or self._speculation.is_wrong():
            self._speculation = None
            if self._unfinished(partial.transcript):
                return
            try:
                if not partial.transcript:
                    self._prefill_lead(partial, agent)
                elif self._config.turn.speculate and partial.is_whole():
                    self._speculation = self._start_speculation(partial, agent)
                else:
                    self._prefill_partial(partial, agent)
            except Exception:
                # The same agent gets the whole question soon, and that failure is reported.
                return
        self._continue_speculation()

    def _prefill_lead(self, partial: PartialQuestion, agent: Agent) -> None:
        """Prefill what precedes the question, before its first word is known."""
        with self._floor.monitor:
            messages = self._history.asking("", partial.language)
        agent.prepare(messages, lambda: not self._inbox.empty or agent_input_is_dead(partial))

    def _prefill_partial(self, partial: PartialQuestion, agent: Agent) -> None:
        turn = partial.turn
        likely = respelled(partial.likely, self._prefilled)
        if likely in ("", self._prefilled):
            return
        self._prefilled = likely
        with self._floor.monitor:
            messages = self._history.asking(likely, partial.language)
        tokens = agent.prepare(
            messages, lambda: not self._inbox.empty or agent_input_is_dead(partial)
        )
        self._bus.emit(ev.PrefillProgress(turn=turn.number, tokens=tokens, text=likely))

    def _start_speculation(self, partial: PartialQuestion, agent: Agent) -> SpeculativeReply | None:
        """The user has stopped speaking: reply to the transcript so far."""
        transcript = respelled(partial.transcript, self._prefilled)
        speculation = SpeculativeReply(partial.turn, transcript, partial.language)
        with self._floor.monitor:
            messages = self._history.asking(speculation.transcript, speculation.language)
        if agent.count(messages) > agent.room:
            return None
        self._bus.emit(ev.PrefillStarted(turn=speculation.turn.number))
        speculation.coming = agent.respond(messages, speculation.is_wrong, speculation.is_committed)
        return speculation

    def _continue_speculation(self) -> None:
        speculation = self._speculation
        while (
            speculation is not None
            and len(speculation.made) < SPECULATED_TOKENS
            and self._inbox.empty
            and not speculation.waits
        ):
            try:
                item = next(speculation.coming, None)
            except Exception:
                self._speculation = None
                return
            if item is None or speculation.is_wrong():
                return
            if isinstance(item, Prefilled):
                report_prefilled(self._bus, speculation.turn, item)
            else:
                speculation.made.append(item)

    def _answer(self, asked: FinalQuestion) -> None:
        turn, speculation = asked.turn, self._speculation
        text = respelled(asked.text, self._prefilled)
        self._speculation, self._prefilled = None, ""
        if not text:
            return
        try:
            if speculation is not None and speculation.turn is turn and not speculation.is_wrong():
                turn.reply.question = speculation.transcript
                self._reply(
                    turn, itertools.chain(speculation.made, speculation.coming), asked.language
                )
                return
            self._floor.turns.wait_for_earlier(turn)
            if unfinished := self._unfinished(text, asked.language):
                turn.reply.question = text
                self._continue_reply(turn, unfinished, asked.language)
                return
            agent = self._loaded_agent(turn)
            if turn.cancelled or agent is None:
                return
            # The history must hold the text that the KV cache holds.
            turn.reply.question = text
            messages = self._prompt(text, asked.language, agent)
            self._reply(turn, self._respond(turn, agent, messages), asked.language)
        except Exception as error:
            self._floor.cancel(turn, "failed", self._failures.report("agent", turn, error))

    def _announce(self, said: Announcement) -> None:
        """Say something without a question."""
        turn = said.turn
        self._speculation, self._prefilled = None, ""
        self._floor.turns.wait_for_earlier(turn)
        if not turn.cancelled:
            self._outbox.put(SpokenCue("", said.language, said.sound))
            self._reply(turn, [Token(said.text), Stopped("stop")], said.language)

    def _respond(
        self, turn: Turn, agent: Agent, messages: Sequence[ChatMessage]
    ) -> Iterator[AgentOutput]:
        self._bus.emit(ev.PrefillStarted(turn=turn.number))
        return agent.respond(messages, turn.is_cancelled, turn.is_committed)

    def _unfinished(self, text: str, language: str = "") -> Reply | None:
        """The last reply, if it is unfinished and the text asks to continue it."""
        with self._floor.monitor:
            unfinished = self._history.unfinished
        return unfinished if unfinished and wants_more(text, language) else None

    def _continue_reply(self, turn: Turn, unfinished: Reply, language: str) -> None:
        """Play the generated rest that was not played; the agent continues it meanwhile."""
        turn.reply.text, turn.reply.continues = unfinished.unheard, True
        if turn.cancelled:
            return
        self._bus.emit(ev.ReplyContinued(turn=turn.number, text=turn.reply.text))
        more = iter([Stopped("stop")]) if unfinished.ended else self._more(turn)
        self._reply(turn, more, language)

    def _more(self, turn: Turn) -> Iterator[AgentOutput]:
        """The agent's continuation of the last reply; without one, its answer to the request."""
        agent = self._loaded_agent(turn)
        if turn.cancelled or agent is None:
            return
        self._report_trimmed(self._history.trim(None, agent.count, agent.room))
        for item in self._respond(turn, agent, self._history.going_on()):
            if item == Stopped("stop") and not turn.reply.text:
                turn.reply.continues = False
                messages = self._prompt(turn.question, turn.transcription.language, agent)
                yield from agent.respond(messages, turn.is_cancelled, turn.is_committed)
                return
            yield item

    def _prompt(self, text: str, language: str, agent: Agent) -> Sequence[ChatMessage]:
        self._report_trimmed(self._history.trim(text, agent.count, agent.room, language))
        return self._history.asking(text, language)

    def _reply(self, turn: Turn, coming: Iterable[AgentOutput], language: str) -> None:
        rate = self._speech_rates.of(language)
        ReplyWriter(self._context, self._outbox, turn, language, rate).write(coming)

    def _report_trimmed(self, dropped: int) -> None:
        if dropped:
            self._bus.emit(ev.HistoryTrimmed(messages=dropped))
