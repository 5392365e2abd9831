"""When a visitor has left, as a pure fold over events."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgevoice import events as ev
from edgevoice.languages import language_data
from edgevoice.words import words


@dataclass
class Visitor:
    """One visitor after the other.

    `silence` is the seconds since the last voice, heard or played, after which a visitor has left;
    0: visitors leave only by saying goodbye.
    """

    silence: float
    here: bool = False
    """Whether somebody has spoken since the conversation was cleared."""
    answered: int = 0
    """Questions of this visitor that were answered."""
    _turns: set[int] = field(default_factory=set)
    _quiet_since: float = 0.0
    _farewell: set[int] = field(default_factory=set)
    """Turns in which the visitor says goodbye."""
    _leaving: bool = False

    def add(self, event: ev.Event) -> None:
        """Take the next event."""
        match event:
            case ev.TurnStarted():
                self._turns.add(event.turn)
            case ev.SpeechStarted():
                self._leaving = False
            case ev.FinalTranscript():
                if event.text:
                    self.here = True
                if is_goodbye(event.text, event.language):
                    self._farewell.add(event.turn)
            case ev.TurnCompleted() | ev.TurnCancelled():
                self._turns.discard(event.turn)
                self._quiet_since = event.t
                said_goodbye = event.turn in self._farewell
                self._farewell.discard(event.turn)
                if isinstance(event, ev.TurnCompleted):
                    self.here, self._leaving = True, said_goodbye
                    self.answered += bool(event.heard)
            case ev.ConversationCleared():
                self.here = self._leaving = False
                self.answered = 0
            case ev.SessionEnded():
                self._turns.clear()
            case _:
                pass

    def has_left(self, now: float) -> bool:
        """Whether to forget the visitor: not while somebody speaks or is spoken to."""
        if not self.here or self._turns:
            return False
        quiet = now - self._quiet_since
        return self._leaving or 0 < self.silence <= quiet


def is_goodbye(text: str, language: str) -> bool:
    """Whether the whole of `text` is a goodbye in `language`, such as "Okay, bye bye!"."""
    sentences = language_data(language or "en").sentences
    said = " ".join(w for w in words(text) if w not in sentences.leading | sentences.fillers)
    return said in sentences.goodbyes
