"""A question and its reply for display, as a pure fold over the events of a turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from edgevoice import events as ev
from edgevoice.languages.unspoken import without

Phase = Literal["hearing", "thinking", "speaking", "over"]


@dataclass(slots=True, eq=False)
class Exchange:
    """A question and its reply, of which `spoken` characters have been played.

    The reply is shown only once the turn is `committed`; until then it may be cancelled. `ending`
    is empty until the exchange is over; `interrupted` is by speech or by a key.
    """

    turn: int
    origin: Literal["speech", "text", "talk_key", "announcement"]
    interrupts: int | None = None
    """The turn whose reply it may have interrupted."""
    question: str = ""
    language: str = ""
    """The language code of the question, if it was recognized."""
    final: bool = False
    """Whether `question` is the final transcript, not an interim one."""
    reply: str = ""
    written: bool = False
    """Whether the reply is completely generated."""
    spoken: int = 0
    clauses: dict[int, str] = field(default_factory=dict)
    committed: bool = False
    phase: Phase = "hearing"
    quieter: bool = False
    """Whether the reply is ducked, because somebody may be speaking."""
    paused: bool = False
    """Whether the reply is paused, because somebody is speaking."""
    ending: Literal["", "completed", "interrupted", "failed", "shutdown"] = ""
    detail: str = ""
    revision: int = 0

    @property
    def heard(self) -> str:
        """The part of the reply that was played."""
        return without(self.reply[: self.spoken])

    @property
    def unheard(self) -> str:
        """The part of the reply that is for the user, but was not played."""
        return without(self.reply)[len(self.heard) :]

    def apply(self, event: ev.Event) -> bool:
        """Apply an event of this turn; returns whether the display changes."""
        match event:
            case ev.InterimTranscript():
                if self.final:
                    return False
                self.question = event.text
            case ev.FinalTranscript():
                self.question, self.final = event.text.strip(), True
                self.language = event.language
            case ev.SpeechEnded():
                self._advance("thinking")
            case ev.TurnCommitted():
                self.committed = True
                self._advance("thinking")
            case ev.TokenGenerated() | ev.ReplyContinued():
                self.reply += event.text
            case ev.ReplyRevised():
                self.reply = self.reply[: event.start]
            case ev.GenerationEnded():
                self.written = True
            case ev.ClauseReady():
                self.clauses[event.clause] = event.text
            case ev.PlaybackStarted():
                self._advance("speaking")
            case ev.PlaybackDucked():
                self.quieter = True
            case ev.PlaybackPaused():
                self.paused = True
            case ev.PlaybackProgress():
                self.spoken = max(self.spoken, min(event.chars, len(self.reply)))
            case ev.TurnCompleted():
                self.phase, self.quieter, self.paused = "over", False, False
                # A committed turn that was cancelled also completes; its ending is already known.
                self.ending = self.ending or ("interrupted" if event.interrupted else "completed")
                self.reply = self.reply or event.heard
                self.committed = self.committed or bool(event.heard)
                if not event.interrupted:
                    self.spoken = len(self.reply)
                elif self.reply.lstrip().startswith(event.heard):
                    lead = len(self.reply) - len(self.reply.lstrip())
                    self.spoken = lead + len(event.heard)
            case _:
                return False
        return True

    def _advance(self, phase: Phase) -> None:
        """Advance to `phase`; a late event never returns to an earlier one."""
        order = ("hearing", "thinking", "speaking", "over")
        if order.index(phase) > order.index(self.phase):
            self.phase = phase
