"""The messages from stage to stage, in the order of the data: capture, transcription, agent,
synthesis, playback.

Each belongs to a turn. A mailbox skips messages of a turn that is over; the functions here decide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Union

from edgevoice.audio import CAPTURE_RATE, Audio, Utterance
from edgevoice.turn import Turn

MISSED_SECONDS = 0.16
"""Speech, in seconds, that a transcript may miss and still be taken for the whole question."""


# From capture to transcription


@dataclass(frozen=True, slots=True)
class InterimRequest:
    """Transcribe the utterance so far; `take` returns its samples up to now."""

    turn: Turn
    take: Callable[[], Utterance]


@dataclass(frozen=True, slots=True)
class FinalRequest:
    """A question to answer; `said` is audio or typed text, `voiced` its seconds of speech."""

    turn: Turn
    said: Utterance | str
    voiced: float = 0.0


TranscriptionRequest = Union[FinalRequest, InterimRequest]


def request_is_dead(request: TranscriptionRequest) -> bool:
    """Whether to skip it. A committed question is never skipped: the history needs it."""
    if isinstance(request, FinalRequest):
        return request.turn.cancelled and not request.turn.committed
    return request.turn.cancelled or request.turn.speech.requested


# From capture to end-of-turn prediction


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause to score, with the utterance up to it."""

    turn: Turn
    said: Utterance


def pause_is_over(pause: Pause) -> bool:
    """Whether the user went on, or the turn has ended already."""
    return pause.turn.cancelled or pause.turn.committed


# From transcription to the agent


@dataclass(frozen=True, slots=True)
class Prefill:
    """The history has changed: evaluate it into the KV cache while the assistant is idle."""


@dataclass(frozen=True, slots=True)
class PartialQuestion:
    """A question that may not be complete: the newest `transcript` in its detected
    `language`, and its beginning that is `likely` to stay. It was transcribed from the audio up to
    stream index `end`."""

    turn: Turn
    transcript: str
    likely: str
    end: int
    language: str

    def is_whole(self) -> bool:
        """Whether the user has stopped speaking, and said hardly anything after this transcript."""
        speech = self.turn.speech
        missed = speech.voiced_end - self.end
        faded = self.end >= speech.loud_end
        return speech.silent and (faded or missed <= MISSED_SECONDS * CAPTURE_RATE)


@dataclass(frozen=True, slots=True)
class FinalQuestion:
    """A transcribed question to answer; `text` is empty if nothing was said."""

    turn: Turn
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that the assistant says for itself, after a sound: its turn has no question."""

    turn: Turn
    text: str
    language: str
    sound: Audio


AgentInput = Union[FinalQuestion, PartialQuestion, Prefill, Announcement]


def agent_input_is_dead(item: AgentInput) -> bool:
    """Whether to skip it. A committed question is never skipped: the history needs it."""
    match item:
        case FinalQuestion():
            return item.turn.cancelled and not item.turn.committed
        case PartialQuestion(turn, transcript):
            words = turn.transcription
            known = bool(turn.question) or words.language != item.language
            return turn.cancelled or known or words.text != transcript
        case Prefill() | Announcement():
            return False


# From the agent to synthesis


@dataclass(frozen=True, slots=True)
class Clause:
    """`text` is the slice [start:end) of the reply, `spoken` the text to synthesize for it.

    `spoken` is empty if there is nothing to say. The texts of all clauses make up the reply.
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
    """A short spoken notice that is not part of a reply; with `audio`, that sound instead."""

    text: str
    language: str
    audio: Audio | None = None


# From synthesis to playback


@dataclass(frozen=True, slots=True)
class SpeechAudio:
    """A piece of a clause's audio; `last` when the clause ends with it."""

    turn: Turn
    number: int
    clause: Clause
    audio: Audio | None
    last: bool


@dataclass(frozen=True, slots=True)
class Cue:
    """An earcon or spoken cue to play; not part of a reply."""

    audio: Audio


def clause_is_dead(item: ClauseToSpeak | SpeechAudio) -> bool:
    """Whether to skip it: its turn is over, or a revision has dropped it."""
    turn = item.turn
    return turn.cancelled or turn.reply.withdrawn(item.number, item.clause.end)


# From the agent to playback, through synthesis


@dataclass(frozen=True, slots=True)
class EndOfReply:
    """The turn has no further messages. Sent through the whole pipeline, also for dead turns."""

    turn: Turn
