"""Passes a reply on while it is written: its clauses, its tool calls, and its revisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from edgevoice import events as ev
from edgevoice.agent.clauses import ClauseCutter
from edgevoice.agent.speech_rate import CutPlan, SpeechRate
from edgevoice.bus import Bus
from edgevoice.context import StageContext
from edgevoice.languages import language_data
from edgevoice.mailbox import Mailbox
from edgevoice.messages import Clause, ClauseToSpeak, EndOfReply, SpokenCue
from edgevoice.protocols import (
    AgentOutput,
    ChatMessage,
    Drafted,
    Prefilled,
    ReplyRevision,
    Stopped,
    Token,
    ToolCall,
    Verified,
)
from edgevoice.turn import Turn


class ReplyWriter:
    """Takes one reply from the agent to synthesis."""

    def __init__(
        self,
        context: StageContext,
        outbox: Mailbox[ClauseToSpeak | EndOfReply | SpokenCue],
        turn: Turn,
        language: str,
        rate: SpeechRate,
    ) -> None:
        self._floor = context.floor
        self._clock = context.clock
        self._bus = context.bus
        self._first_words = context.config.tts.first_clause_words
        self._outbox = outbox
        self._turn = turn
        self._reply = turn.reply
        self._language = language
        self._rate = rate
        self._number = 0
        """Number of the next clause."""
        self._begins: list[int] = []
        """The first character of each clause that was passed on and not dropped."""
        self._drafted = 0.0
        """When the newest draft was complete."""
        self._start_at(0)

    def _start_at(self, start: int) -> None:
        self._passed = start
        """Number of characters that were passed on in clauses."""
        self._begins = [begin for begin in self._begins if begin < start]
        self._plan = CutPlan(self._rate)
        self._cutter = ClauseCutter(self._first_words, self._language, self._plan, start)

    def write(self, coming: Iterable[AgentOutput]) -> None:
        """Pass on the reply's text so far, and all that is coming."""
        ended = False
        self._cut(self._reply.text)
        for item in coming:
            match item:
                case Prefilled():
                    report_prefilled(self._bus, self._turn, item)
                case Token():
                    self._add(item)
                case Drafted():
                    self._hold_out(item)
                case ReplyRevision():
                    self._revise(item)
                case Verified():
                    self._report_verified(item)
                case ToolCall():
                    self._pass_on(self._cutter.flush())
                    if not self._call(item):
                        self._end("cancelled")
                        return
                case Stopped():
                    self._end(item.reason)
                    ended = True
        if not ended and not self._turn.cancelled:
            self._end("stop")

    def _add(self, token: Token) -> None:
        reply = self._reply
        index = reply.tokens
        reply.tokens += 1
        reply.text += token.text
        self._bus.emit(ev.TokenGenerated(turn=self._turn.number, index=index, text=token.text))
        self._plan.wrote(len(token.text), self._clock.now())
        self._cut(token.text)

    def _end(self, reason: Literal["stop", "length", "cancelled"]) -> None:
        self._reply.complete = reason == "stop"
        self._pass_on(self._cutter.flush())
        tokens = self._reply.tokens
        self._bus.emit(ev.GenerationEnded(turn=self._turn.number, tokens=tokens, reason=reason))

    def _cut(self, text: str) -> None:
        self._pass_on(self._cutter.push(text, self._clock.now()))

    def _pass_on(self, clauses: Sequence[Clause]) -> None:
        turn = self._turn
        for clause in clauses:
            number = self._number
            self._number += 1
            self._begins.append(clause.start)
            self._passed = clause.end
            self._bus.emit(
                ev.ClauseReady(
                    turn=turn.number, clause=number, text=clause.text, spoken=clause.spoken
                )
            )
            self._outbox.put(ClauseToSpeak(turn, number, clause))

    def _hold_out(self, draft: Drafted) -> None:
        """Pass on what is written if the audio before it is over sooner than the reply goes on."""
        now = self._drafted = self._clock.now()
        if (self._plan.end or 0.0) < now + draft.seconds:
            self._pass_on(self._cutter.flush(now))
        draft.lasts = max(0.0, (self._plan.end or 0.0) - now)
        # The wait is no sign of a slow model.
        self._plan.last = None

    def _report_verified(self, item: Verified) -> None:
        self._bus.emit(
            ev.DraftVerified(
                turn=self._turn.number,
                drafted=item.drafted,
                verified=item.verified,
                replaced=item.replaced,
                corrected=item.corrected,
                seconds=round(self._clock.now() - self._drafted, 4),
            )
        )

    def _call(self, call: ToolCall) -> bool:
        """Run a tool once the turn is committed; false if it is cancelled first."""
        turn, reply = self._turn, self._reply
        # As with the first audio, the turn may end as soon as the silence is long enough.
        reply.acts = True
        with self._floor.monitor:
            self._floor.monitor.wait_for(lambda: turn.committed or turn.cancelled)
        if turn.cancelled:
            return False
        self._bus.emit(ev.ToolCalled(turn=turn.number, name=call.name, arguments=call.arguments))
        call.result = call.run()
        told = f"{call.name}({call.arguments}): {call.result}"
        reply.tools = (*reply.tools, ChatMessage("tool", told))
        self._bus.emit(ev.ToolReturned(turn=turn.number, name=call.name, result=call.result))
        return True

    def _revise(self, revision: ReplyRevision) -> None:
        """Take text back, and drop its audio as far as it is not out."""
        turn, reply = self._turn, self._reply
        start = min(revision.start, len(reply.text))
        at = min(start, self._passed)
        with self._floor.monitor:
            if start < self._passed:
                clause = max(begin for begin in self._begins if begin <= start)
                at = self._floor.playback.cut(turn, start, clause)
                reply.cuts = (*reply.cuts, (self._number, at))
            rest = reply.text[at:]
            # A word that is out keeps the space after it, where the correction begins.
            kept = start if at <= start else at + len(rest) - len(rest.lstrip())
            reply.text = reply.text[:kept]
            self._floor.monitor.notify_all()
        self._bus.emit(ev.ReplyRevised(turn=turn.number, start=kept))
        self._start_at(at)
        self._cut(reply.text[at:])
        revision.kept = kept
        revision.correction = language_data(self._language).correction


def report_prefilled(bus: Bus, turn: Turn, item: Prefilled) -> None:
    """Report that the prompt of a turn is evaluated."""
    bus.emit(ev.PrefillEnded(turn=turn.number, tokens=item.tokens, reused=item.reused))
