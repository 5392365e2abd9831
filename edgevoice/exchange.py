"""One question and its answer as they are to be shown: a pure fold over the events of a turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from edgevoice import events as ev

Phase = Literal["hearing", "thinking", "speaking", "over"]


@dataclass(slots=True, eq=False)
class Exchange:
    """One question and its answer; `spoken` characters of `reply` have been heard by the user.

    Nothing of the reply is to be shown before the turn is `committed`: it may yet be taken back.
    `ending` is empty while the exchange goes on; `interrupted` covers barge-in and key alike.
    """

    turn: int
    origin: Literal["speech", "text", "talk_key"]
    interrupts: int | None = None
    """The turn whose reply it may have interrupted."""
    question: str = ""
    language: str = ""
    """What it was asked in, as far as that was recognized."""
    final: bool = False
    """Whether `question` is the last word of the recognizer, and not a look on the way."""
    reply: str = ""
    written: bool = False
    """Whether the model has finished writing the reply."""
    spoken: int = 0
    clauses: dict[int, str] = field(default_factory=dict)
    committed: bool = False
    phase: Phase = "hearing"
    quieter: bool = False
    """Whether the reply makes way, for somebody may be speaking."""
    paused: bool = False
    """Whether the reply waits for what is being said into it."""
    ending: Literal["", "completed", "interrupted", "failed", "shutdown"] = ""
    detail: str = ""
    revision: int = 0

    @property
    def heard(self) -> str:
        """The part of the reply that the user has heard."""
        return self.reply[: self.spoken]

    @property
    def unheard(self) -> str:
        """The part of the reply that is written but not heard."""
        return self.reply[self.spoken :]

    def apply(self, event: ev.Event) -> bool:
        """Take an event of its own turn; whether there is now something else to see."""
        match event:
            case ev.InterimTranscript():
                if self.final:
                    return False
                self.question = event.text
            case ev.FinalTranscript():
                self.question, self.final = event.text.strip(), True
                self.language = event.language
            case ev.SpeechEnded():
                self._go("thinking")
            case ev.TurnCommitted():
                self.committed = True
                self._go("thinking")
            case ev.TokenGenerated() | ev.ReplyContinued():
                self.reply += event.text
            case ev.ReplyRevised():
                self.reply = self.reply[: event.start]
            case ev.GenerationEnded():
                self.written = True
            case ev.ClauseReady():
                self.clauses[event.clause] = event.text
            case ev.PlaybackStarted():
                self._go("speaking")
            case ev.PlaybackDucked():
                self.quieter = True
            case ev.PlaybackPaused():
                self.paused = True
            case ev.PlaybackProgress():
                self.spoken = max(self.spoken, min(event.chars, len(self.reply)))
            case ev.TurnCompleted():
                self.phase, self.quieter, self.paused = "over", False, False
                # A committed turn that was cancelled completes too: why it ended was told then.
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

    def _go(self, phase: Phase) -> None:
        """Phases only go forward: a late event must not bring an earlier one back."""
        order = ("hearing", "thinking", "speaking", "over")
        if order.index(phase) > order.index(self.phase):
            self.phase = phase
