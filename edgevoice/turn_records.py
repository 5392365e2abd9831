"""What the stages learn about a turn: one record per stage, which only that stage writes.

The others read it through the turn, for example `turn.transcription.text`. Each attribute is
replaced as a whole, so that readers in other threads need no lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from edgevoice.protocols import ChatMessage


class Classification(Enum):
    """The kind of words in a turn that may be an interruption."""

    NO_WORDS = "no words"
    """No words: a cough, a door, or text that a recognizer makes up for them."""
    BACKCHANNEL = "backchannel"
    """A listener's signal, for example "mhm": the reply goes on."""
    STOP = "stop"
    """A request for silence, and nothing else."""
    WORDS = "words"


@dataclass(slots=True)
class SpeechRecord:
    """The user's speech; written by capture."""

    called: bool = False
    """The audio begins with the wake word."""
    silent: bool = False
    """The newest frame is silent."""
    voiced: float = 0.0
    """Seconds of voice so far."""
    voiced_end: int = 0
    """Stream index after the last voiced sample."""
    loud_end: int = 0
    """Stream index after which the voice has faded."""
    words_end: int = 0
    """Stream index up to which there may be words; not long after `loud_end` the voice ended."""
    requested: bool = False
    """The whole question was sent to transcription; interim requests are obsolete."""
    may_end: bool = False
    """The silence has lasted long enough: the first audio of the reply ends the turn."""
    continued: bool = False
    """The user went on when the reply had hardly begun: it was only half of the question."""


@dataclass(slots=True)
class TranscriptionRecord:
    """The words of the user; written by transcription."""

    text: str = ""
    """The newest transcript, interim or final."""
    language: str = "en"
    """Language of the newest transcript."""
    question: str = ""
    """The final transcript."""
    transcripts: int = 0
    """Number of transcripts so far."""
    accepted_words: int = 0
    """Number of words that were accepted as speech."""
    classification: Classification | None = None
    """The kind of words so far."""
    classified_voiced: float = 0.0
    """Seconds of voice that the classification covers."""


@dataclass(slots=True)
class ReplyRecord:
    """The reply as text; written by the agent."""

    question: str = ""
    """The question as it stands in the prompt."""
    text: str = ""
    """The text generated so far."""
    tokens: int = 0
    """Number of its tokens."""
    complete: bool = False
    """The model has ended the reply itself."""
    continues: bool = False
    """It continues the reply before."""
    acts: bool = False
    """A tool call waits for the turn to be committed, or has run."""
    tools: tuple[ChatMessage, ...] = ()
    """The results of its tool calls."""
    cuts: tuple[tuple[int, int], ...] = ()
    """Its revisions: the number of the next clause, and the character at which the ones before it
    were cut off."""

    def withdrawn(self, number: int, end: int) -> bool:
        """Whether a revision has dropped clause `number`, which ends at character `end`, or its
        rest."""
        return any(number < following and end > char for following, char in self.cuts)


@dataclass(slots=True)
class SynthesisRecord:
    """The reply as audio; written by synthesis."""

    started: bool = False
    """Synthesis of the reply has begun."""


@dataclass(slots=True)
class PlaybackRecord:
    """The reply at the speaker; written by playback."""

    ready: bool = False
    """The first audio of the reply waits to be played."""
    number: int = 0
    """Its number among the answered turns of the session, from 1; 0 until it is audible."""
