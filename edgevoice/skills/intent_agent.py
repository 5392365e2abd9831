"""Answers what a skill understands at once, and lets another agent answer everything else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgevoice.protocols import (
    Agent,
    AgentOutput,
    Cancelled,
    ChatMessage,
    Committed,
    Stopped,
    Token,
    ToolCall,
)
from edgevoice.skills.skills import Skills, Understood


class IntentAgent(Agent):
    """Stands in front of `agent`, which it closes."""

    def __init__(self, agent: Agent, skills: Skills) -> None:
        self._agent = agent
        self._skills = skills
        self.room = agent.room

    def respond(
        self, conversation: Sequence[ChatMessage], cancelled: Cancelled, committed: Committed
    ) -> Iterator[AgentOutput]:
        understood = self._understood(conversation)
        if understood is None:
            yield from self._agent.respond(conversation, cancelled, committed)
            return
        if understood.intent.name == "repeat":
            yield Token(last_reply(conversation) or understood.answer())
        elif understood.acts:
            call = ToolCall(understood.intent.name, _arguments(understood), understood.answer)
            yield call
            if call.result:
                yield Token(call.result)
        else:
            yield Token(understood.answer())
        yield Stopped("stop")

    def prepare(self, conversation: Sequence[ChatMessage], cancelled: Cancelled) -> int:
        # The language model has nothing to do with a question that it will not get.
        if self._understood(conversation) is not None:
            return 0
        return self._agent.prepare(conversation, cancelled)

    def count(self, conversation: Sequence[ChatMessage]) -> int:
        return self._agent.count(conversation)

    def close(self) -> None:
        self._agent.close()

    def _understood(self, conversation: Sequence[ChatMessage]) -> Understood | None:
        last = conversation[-1] if conversation else None
        if last is None or last.role != "user":
            return None
        return self._skills.understood(last.newest or last.text, last.language)


def _arguments(understood: Understood) -> str:
    return str(understood.intent)


def last_reply(conversation: Sequence[ChatMessage]) -> str:
    """The last reply of the assistant; empty if there was none."""
    replies = (
        message.text
        for message in reversed(conversation)
        if message.role == "assistant" and not message.example
    )
    return next(replies, "")
