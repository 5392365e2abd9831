"""The built-in agent: a language model that answers the conversation as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
from edgevoice.settings import SlmSettings

PROMPT_MARGIN = 32
"""Tokens of the context window that stay free for the chat template."""


class LanguageModelAgent(Agent):
    """Answers with one language model, which it frees. Raises ModelError if the system prompt
    leaves no room for a conversation."""

    def __init__(self, slm: LanguageModel, settings: SlmSettings) -> None:
        self._slm = slm
        self.room = slm.context - min(settings.max_tokens, slm.context // 2) - PROMPT_MARGIN
        try:
            self._check_system_prompt(settings.system_prompt)
        except BaseException:
            slm.close()
            raise

    def _check_system_prompt(self, prompt: str) -> None:
        if not prompt:
            return
        tokens = self._slm.count(History(prompt).asking("Why?"))
        if tokens > self.room:
            raise ModelError(
                f"the system prompt does not fit: it takes {tokens} tokens, and the context "
                f"of {self._slm.context} has room for {max(0, self.room)} beside a reply",
                where="slm.system_prompt",
                remedy="shorten slm.system_prompt, or raise slm.context",
            )

    def respond(
        self, conversation: Sequence[ChatMessage], cancelled: Cancelled, committed: Committed
    ) -> Iterator[AgentOutput]:
        return self._slm.reply(conversation, cancelled)

    def prepare(self, conversation: Sequence[ChatMessage], cancelled: Cancelled) -> int:
        return self._slm.prime(conversation, cancelled)

    def count(self, conversation: Sequence[ChatMessage]) -> int:
        return self._slm.count(conversation)

    def close(self) -> None:
        self._slm.close()
