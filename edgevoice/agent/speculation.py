"""A speculative reply, prepared before the question is known to be complete."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from edgevoice.protocols import AgentOutput, Drafted, ReplyRevision, ToolCall
from edgevoice.turn import Turn
from edgevoice.words import same_words


@dataclass(slots=True)
class SpeculativeReply:
    """A reply to a transcript that may be the whole question; it is not passed on yet."""

    turn: Turn
    transcript: str
    language: str
    coming: Iterator[AgentOutput] = field(default_factory=lambda: iter(()))
    made: list[AgentOutput] = field(default_factory=list)
    wrong: bool = False

    def is_wrong(self) -> bool:
        """Whether the question has changed since, or the turn was cancelled."""
        # Once wrong, always wrong: the generation was cancelled.
        words = self.turn.transcription
        self.wrong |= self.turn.cancelled or words.language != self.language
        self.wrong |= not same_words(self.transcript, words.text)
        return self.wrong

    @property
    def waits(self) -> bool:
        """Whether it goes on only once it is the reply: its next step acts, asks what is out, or
        takes long."""
        return bool(self.made) and isinstance(self.made[-1], Drafted | ReplyRevision | ToolCall)

    def is_committed(self) -> bool:
        """Whether the turn is committed, and this is the reply to its question."""
        return self.turn.committed and self.turn.reply.question == self.transcript
