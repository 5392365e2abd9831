"""What the mind is given to think about: a question, its beginnings, the conversation itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Union

from edgevoice.audio import EAR_RATE
from edgevoice.protocols import Prefilled, Stopped, Token
from edgevoice.transcription.local_agreement import same_words
from edgevoice.turn_taking.turn import Turn

MISSED_SECONDS = 0.16
"""Speech that a reading may lack of a question and still have all of its words."""


@dataclass(frozen=True, slots=True)
class FinalQuestion:
    """A question written down, to be answered; no `text` where nothing was said after all."""

    turn: Turn
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class PartialQuestion:
    """A question that may still be going on: the whole newest `reading` of it, in the `language` it
    seems to be in, and as much of that as is `likely` to stay. It was read of the sound up to
    stream index `end`."""

    turn: Turn
    reading: str
    likely: str
    end: int
    language: str

    def is_whole(self) -> bool:
        """Whether the voice has stopped since, and hardly anything was said after this reading."""
        missed = self.turn.voiced_end - self.end
        return self.turn.hushed and missed <= MISSED_SECONDS * EAR_RATE


@dataclass(frozen=True, slots=True)
class Prefill:
    """The conversation has changed: bring it into the KV cache while nobody speaks."""


Thought = Union[FinalQuestion, PartialQuestion, Prefill]


def thought_is_dead(thought: Thought) -> bool:
    """A committed question is taken up even when it was cancelled: it is to be remembered."""
    match thought:
        case FinalQuestion():
            return thought.turn.cancelled and not thought.turn.committed
        case PartialQuestion(turn, reading):
            known = bool(turn.question) or turn.language != thought.language
            return turn.cancelled or known or turn.reading != reading
        case Prefill():
            return False


@dataclass(slots=True)
class SpeculativeReply:
    """A reply to a reading that may turn out to be the question; nothing of it is told yet."""

    turn: Turn
    reading: str
    language: str
    coming: Iterator[Prefilled | Token | Stopped] = field(default_factory=lambda: iter(()))
    made: list[Prefilled | Token | Stopped] = field(default_factory=list)
    wrong: bool = False

    def is_wrong(self) -> bool:
        """Whether the question has read differently since, or is none any more."""
        # For good: what it was making has been broken off.
        self.wrong |= self.turn.cancelled or self.turn.language != self.language
        self.wrong |= not same_words(self.reading, self.turn.reading)
        return self.wrong
