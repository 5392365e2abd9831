"""The agent: prefills the question during speech, generates the reply, and cuts it into clauses."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

from edgevoice import events as ev
from edgevoice.agent.clauses import ClauseCutter
from edgevoice.agent.speculation import SpeculativeReply
from edgevoice.agent.speech_rate import CutPlan, SpeechRates
from edgevoice.context import StageContext
from edgevoice.errors import ModelError
from edgevoice.history import History, Reply
from edgevoice.mailbox import Mailbox
from edgevoice.messages import (
    AgentInput,
    Clause,
    ClauseToSpeak,
    EndOfReply,
    FinalQuestion,
    PartialQuestion,
    Prefill,
    SpokenCue,
    agent_input_is_dead,
)
from edgevoice.protocols import ChatMessage, LanguageModel, Prefilled, Stopped, Token
from edgevoice.transcription.local_agreement import respelled
from edgevoice.turn import Turn
from edgevoice.turn_records import ReplyRecord
from edgevoice.turn_taking.continuation import wants_more

PROMPT_MARGIN = 32
"""Tokens of the context window that stay free for the chat template."""

SPECULATED_TOKENS = 24
"""Most tokens of a speculative reply before the question is final."""


class Responder:
    """Owns the language model; runs in its own thread."""

    def __init__(
        self,
        context: StageContext,
        language_model: Callable[[], LanguageModel],
        inbox: Mailbox[AgentInput],
        outbox: Mailbox[ClauseToSpeak | EndOfReply | SpokenCue],
        speech_rates: SpeechRates,
    ) -> None:
        self._config = context.config
        self._load_language_model = language_model
        self._floor = context.floor
        self._history = context.history
        self._failures = context.failures
        self._clock = context.clock
        self._bus = context.bus
        self._inbox = inbox
        self._outbox = outbox
        self._loaded = context.loaded
        self._speech_rates = speech_rates
        self._slm: LanguageModel | None = None
        self._prompt_loaded = False
        self._speculation: SpeculativeReply | None = None
        self._prefilled = ""
        """The first words of the question that are in the KV cache."""

    def load_language_model(self) -> None:
        """Load the model; runs in its own thread, so that capture need not wait for it.

        Raises ModelError, also if the system prompt leaves no room for a conversation.
        """
        slm = self._load_language_model()
        try:
            self._check_system_prompt(slm)
        except BaseException:
            slm.close()
            raise
        with self._floor.monitor:
            self._slm = slm
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
                    case FinalQuestion():
                        try:
                            self._answer(item)
                        finally:
                            self._outbox.put(EndOfReply(item.turn))
        finally:
            self._inbox.close()
            self._outbox.close()

    def close(self) -> None:
        """Free the language model; only after `run` has returned."""
        if self._slm is not None:
            self._slm.close()

    def _model(self, turn: Turn | None) -> LanguageModel | None:
        """Wait for the language model; None if the turn was cancelled meanwhile."""
        with self._floor.monitor:
            self._floor.monitor.wait_for(
                lambda: self._slm is not None or bool(turn and turn.cancelled)
            )
            return self._slm

    def _prefill_history(self) -> None:
        with self._floor.monitor:
            slm, messages = self._slm, self._history.prompt
        if slm is not None:
            try:
                slm.prime(messages, lambda: not self._inbox.empty)
            except Exception as error:
                self._failures.report("agent", None, error)
            if not self._prompt_loaded:
                self._prompt_loaded = True
                self._loaded("prompt")

    def _prepare(self, partial: PartialQuestion) -> None:
        """Prefill an incomplete question, or start a speculative reply to it."""
        turn, slm = partial.turn, self._slm
        # Until the earlier turns are settled, the history before the question is unknown.
        if slm is None or self._floor.turns.waits_for_earlier(turn):
            return
        if self._speculation is None or self._speculation.is_wrong():
            self._speculation = None
            if self._unfinished(partial.transcript):
                return
            try:
                if not partial.transcript:
                    self._prefill_lead(partial, slm)
                elif self._config.turn.speculate and partial.is_whole():
                    self._speculation = self._start_speculation(partial, slm)
                else:
                    self._prefill_partial(partial, slm)
            except Exception:
                # The same model gets the whole question soon, and that failure is reported.
                return
        self._continue_speculation()

    def _prefill_lead(self, partial: PartialQuestion, slm: LanguageModel) -> None:
        """Prefill what the model reads in front of the question, before its first word."""
        with self._floor.monitor:
            messages = self._history.asking("", partial.language)
        if messages[-1].lead:
            slm.prime(messages, lambda: not self._inbox.empty or agent_input_is_dead(partial))

    def _prefill_partial(self, partial: PartialQuestion, slm: LanguageModel) -> None:
        turn = partial.turn
        likely = respelled(partial.likely, self._prefilled)
        if likely in ("", self._prefilled):
            return
        self._prefilled = likely
        with self._floor.monitor:
            messages = self._history.asking(likely, partial.language)
        tokens = slm.prime(messages, lambda: not self._inbox.empty or agent_input_is_dead(partial))
        self._bus.emit(ev.PrefillProgress(turn=turn.number, tokens=tokens, text=likely))

    def _start_speculation(
        self, partial: PartialQuestion, slm: LanguageModel
    ) -> SpeculativeReply | None:
        """The user has stopped speaking: reply to the transcript so far."""
        transcript = respelled(partial.transcript, self._prefilled)
        speculation = SpeculativeReply(partial.turn, transcript, partial.language)
        with self._floor.monitor:
            messages = self._history.asking(speculation.transcript, speculation.language)
        if slm.count(messages) > self._room(slm):
            return None
        self._bus.emit(ev.PrefillStarted(turn=speculation.turn.number))
        speculation.coming = slm.reply(messages, speculation.is_wrong)
        return speculation

    def _continue_speculation(self) -> None:
        speculation = self._speculation
        while (
            speculation is not None
            and len(speculation.made) < SPECULATED_TOKENS
            and self._inbox.empty
        ):
            try:
                item = next(speculation.coming, None)
            except Exception:
                self._speculation = None
                return
            if item is None or speculation.is_wrong():
                return
            if isinstance(item, Prefilled):
                self._report_prefilled(speculation.turn, item)
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
                    turn, itertools.chain(speculation.made[1:], speculation.coming), asked.language
                )
                return
            self._floor.turns.wait_for_earlier(turn)
            if unfinished := self._unfinished(text, asked.language):
                turn.reply.question = text
                self._continue_reply(turn, unfinished, asked.language)
                return
            slm = self._model(turn)
            if turn.cancelled or slm is None:
                return
            # The history must hold the text that the KV cache holds.
            turn.reply.question = text
            messages = self._prompt(text, asked.language, slm)
            self._bus.emit(ev.PrefillStarted(turn=turn.number))
            self._reply(turn, slm.reply(messages, turn.is_cancelled), asked.language)
        except Exception as error:
            self._floor.cancel(turn, "failed", self._failures.report("agent", turn, error))

    def _unfinished(self, text: str, language: str = "") -> Reply | None:
        """The last reply, if it is unfinished and the text asks to continue it."""
        with self._floor.monitor:
            unfinished = self._history.unfinished
        return unfinished if unfinished and wants_more(text, language) else None

    def _continue_reply(self, turn: Turn, unfinished: Reply, language: str) -> None:
        """Play the generated rest that was not played; the model continues it meanwhile."""
        turn.reply.text, turn.reply.continues = unfinished.unheard, True
        if turn.cancelled:
            return
        self._bus.emit(ev.ReplyContinued(turn=turn.number, text=turn.reply.text))
        more = iter([Stopped("stop")]) if unfinished.ended else self._more(turn)
        self._reply(turn, more, language)

    def _more(self, turn: Turn) -> Iterator[Prefilled | Token | Stopped]:
        """The model's continuation of the last reply; without one, its answer to the request."""
        slm = self._model(turn)
        if turn.cancelled or slm is None:
            return
        self._report_trimmed(self._history.trim(None, slm.count, self._room(slm)))
        self._bus.emit(ev.PrefillStarted(turn=turn.number))
        for item in slm.reply(self._history.going_on(), turn.is_cancelled):
            if item == Stopped("stop") and not turn.reply.text:
                turn.reply.continues = False
                yield from slm.reply(
                    self._prompt(turn.question, turn.transcription.language, slm), turn.is_cancelled
                )
                return
            yield item

    def _check_system_prompt(self, slm: LanguageModel) -> None:
        history = History(self._config.slm.system_prompt)
        history.examples = self._history.examples
        if slm.count(history.asking("Why?")) > self._room(slm) // 2:
            history.examples = self._history.examples = ()  # the conversation needs the room
        tokens = slm.count(history.asking("Why?"))
        if self._config.slm.system_prompt and tokens > self._room(slm):
            raise ModelError(
                f"the system prompt does not fit: it takes {tokens} tokens, and the context "
                f"of {slm.context} has room for {max(0, self._room(slm))} beside a reply",
                where="slm.system_prompt",
                remedy="shorten slm.system_prompt, or raise slm.context",
            )

    def _room(self, slm: LanguageModel) -> int:
        """Most tokens of a prompt."""
        return slm.context - min(self._config.slm.max_tokens, slm.context // 2) - PROMPT_MARGIN

    def _prompt(self, text: str, language: str, slm: LanguageModel) -> Sequence[ChatMessage]:
        self._report_trimmed(self._history.trim(text, slm.count, self._room(slm), language))
        return self._history.asking(text, language)

    def _reply(
        self, turn: Turn, coming: Iterable[Prefilled | Token | Stopped], language: str
    ) -> None:
        """Cut the reply into clauses while it is generated."""
        plan = CutPlan(self._speech_rates.of(language))
        cutter = ClauseCutter(self._config.tts.first_clause_words, language, plan)
        numbers = itertools.count()
        if turn.reply.text:
            self._pass_on(turn, numbers, cutter.push(turn.reply.text, self._clock.now()))
        for item in coming:
            match item:
                case Prefilled():
                    self._report_prefilled(turn, item)
                case Token():
                    self._add(turn.reply, item, turn.number)
                    now = self._clock.now()
                    plan.wrote(len(item.text), now)
                    self._pass_on(turn, numbers, cutter.push(item.text, now))
                case Stopped():
                    turn.reply.complete = item.reason == "stop"
                    self._pass_on(turn, numbers, cutter.flush())
                    tokens = len(turn.reply.tokens)
                    self._bus.emit(
                        ev.GenerationEnded(turn=turn.number, tokens=tokens, reason=item.reason)
                    )

    def _add(self, reply: ReplyRecord, token: Token, turn: int) -> None:
        index = len(reply.tokens)
        reply.tokens.append(token.id)
        reply.text += token.text
        self._bus.emit(ev.TokenGenerated(turn=turn, index=index, text=token.text))

    def _pass_on(self, turn: Turn, numbers: Iterator[int], clauses: list[Clause]) -> None:
        for clause in clauses:
            number = next(numbers)
            self._bus.emit(
                ev.ClauseReady(
                    turn=turn.number, clause=number, text=clause.text, spoken=clause.spoken
                )
            )
            self._outbox.put(ClauseToSpeak(turn, number, clause))

    def _report_trimmed(self, dropped: int) -> None:
        if dropped:
            self._bus.emit(ev.HistoryTrimmed(messages=dropped))

    def _report_prefilled(self, turn: Turn, item: Prefilled) -> None:
        self._bus.emit(ev.PrefillEnded(turn=turn.number, tokens=item.tokens, reused=item.reused))
