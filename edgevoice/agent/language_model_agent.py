"""The built-in agent: a language model that answers the conversation as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgevoice.agent.instructions import examples
from edgevoice.errors import ModelError
from edgevoice.history import History
from edgevoice.protocols import (
    Agent,
    AgentOutput,
    Cancelled,
    ChatMessage,
    Committed,
    LanguageModel,
)
from edgevoice.settings import Config

PROMPT_MARGIN = 32
"""Tokens of the context window that stay free for the chat template."""


class LanguageModelAgent(Agent):
    """Answers with one language model, which it frees. Raises ModelError if the system prompt
    leaves no room for a conversation."""

    def __init__(self, slm: LanguageModel, config: Config) -> None:
        self._slm = slm
        self.room = slm.context - min(config.slm.max_tokens, slm.context // 2) - PROMPT_MARGIN
        self._examples = examples(config)
        try:
            self._check_system_prompt(config.slm.system_prompt)
        except BaseException:
            slm.close()
            raise

    def _check_system_prompt(self, prompt: str) -> None:
        shortest = History(prompt).asking("Why?")
        if self._examples and self.count(shortest) > self.room // 2:
            self._examples = ()  # the conversation needs the room
        tokens = self.count(shortest)
        if prompt and tokens > self.room:
            raise ModelError(
                f"the system prompt does not fit: it takes {tokens} tokens, and the context "
                f"of {self._slm.context} has room for {max(0, self.room)} beside a reply",
                where="slm.system_prompt",
                remedy="shorten slm.system_prompt, or raise slm.context",
            )

    def respond(
        self, conversation: Sequence[ChatMessage], cancelled: Cancelled, committed: Committed
    ) -> Iterator[AgentOutput]:
        return self._slm.reply(self._with_examples(conversation), cancelled)

    def prepare(self, conversation: Sequence[ChatMessage], cancelled: Cancelled) -> int:
        return self._slm.prime(self._with_examples(conversation), cancelled)

    def count(self, conversation: Sequence[ChatMessage]) -> int:
        return self._slm.count(self._with_examples(conversation))

    def close(self) -> None:
        self._slm.close()

    def _with_examples(self, conversation: Sequence[ChatMessage]) -> list[ChatMessage]:
        """The examples stand behind the system prompt, so that they are evaluated once."""
        system = [message for message in conversation[:1] if message.role == "system"]
        return [*system, *self._examples, *conversation[len(system) :]]
