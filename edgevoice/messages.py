"""The messages from stage to stage, in the order of the data: capture, transcription, agent,
synthesis, playback.

Each belongs to a turn. A mailbox skips those of a turn that is over, as the functions here say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Union

from edgevoice.audio import EAR_RATE, Audio, Utterance
from edgevoice.turn import Turn

MISSED_SECONDS = 0.16
"""Speech that a reading may lack of a question and still have all of its words."""


# From capture to transcription


@dataclass(frozen=True, slots=True)
class InterimRequest:
    """A look (or glance) at what is being said; `take` gives the sound so far."""

    turn: Turn
    take: Callable[[], Utterance]


@dataclass(frozen=True, slots=True)
class FinalRequest:
    """Something to be answered; `said` is sound or typed text, `voiced` its seconds of speech."""

    turn: Turn
    said: Utterance | str
    voiced: float = 0.0


TranscriptionRequest = Union[FinalRequest, InterimRequest]


def request_is_dead(request: TranscriptionRequest) -> bool:
    """A committed question is taken up even when it was cancelled: it is to be remembered."""
    if isinstance(request, FinalRequest):
        return request.turn.cancelled and not request.turn.committed
    return request.turn.cancelled or request.turn.asked


# From capture to end-of-turn prediction


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause to be judged, with what was said up to it."""

    turn: Turn
    said: Utterance


def pause_is_over(pause: Pause) -> bool:
    """The user went on, or the turn has ended anyway."""
    return pause.turn.cancelled or pause.turn.committed


# From transcription to the agent


@dataclass(frozen=True, slots=True)
class Prefill:
    """The conversation has changed: bring it into the KV cache while nobody speaks."""


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
class FinalQuestion:
    """A question written down, to be answered; no `text` where nothing was said after all."""

    turn: Turn
    text: str
    language: str


AgentInput = Union[FinalQuestion, PartialQuestion, Prefill]


def agent_input_is_dead(item: AgentInput) -> bool:
    """A committed question is taken up even when it was cancelled: it is to be remembered."""
    match item:
        case FinalQuestion():
            return item.turn.cancelled and not item.turn.committed
        case PartialQuestion(turn, reading):
            known = bool(turn.question) or turn.language != item.language
            return turn.cancelled or known or turn.reading != reading
        case Prefill():
            return False


# From the agent to synthesis


@dataclass(frozen=True, slots=True)
class Clause:
    """`text` is the slice [start:end) of the reply, `spoken` what is to be said for it.

    `spoken` is empty where there is nothing to say. The texts of all clauses make up the reply.
    """

    text: str
    spoken: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ClauseToSpeak:
    """A clause to be spoken."""

    turn: Turn
    number: int
    clause: Clause


@dataclass(frozen=True, slots=True)
class SpokenCue:
    """Something to be said aside, in a language."""

    text: str
    language: str


# From synthesis to playback


@dataclass(frozen=True, slots=True)
class SpeechAudio:
    """A piece of a clause's sound; `last` when the clause ends with it."""

    turn: Turn
    number: int
    clause: Clause
    audio: Audio | None
    last: bool


@dataclass(frozen=True, slots=True)
class Cue:
    """A sound on its way to the speaker."""

    audio: Audio


# From the agent to playback, through synthesis


@dataclass(frozen=True, slots=True)
class EndOfReply:
    """Nothing more will come of this turn. Goes down the whole pipeline, even for dead turns."""

    turn: Turn
