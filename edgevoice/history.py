"""The conversation as the model is to remember it: what was asked, and what was heard.

The order of messages only ever grows at the end, or is cut at the front in one large step, so that
the KV cache of the language model stays a prefix of the next prompt for as long as possible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edgevoice.stages import Message

TRIM_TO = 0.5
"""Share of the room for history that is kept when it is full: rare large steps keep the prefix."""


class History:
    """System prompt and past messages. Not thread-safe: its owner guards it."""

    def __init__(self, system_prompt: str) -> None:
        self._system = Message("system", system_prompt) if system_prompt else None
        self._past: list[Message] = []
        self.leads: Mapping[str, str] = {}
        """By language, what the model reads in front of everything that is said in it."""

    @property
    def messages(self) -> list[Message]:
        """System prompt and everything remembered, oldest first."""
        return [self._system, *self._past] if self._system else list(self._past)

    def asking(self, question: str, language: str = "") -> list[Message]:
        """The messages of a prompt that asks `question` next."""
        return _with_user(self.messages, question, self.leads.get(language, ""))

    def remember(
        self, question: str, heard: str, tokens: Sequence[int] = (), language: str = ""
    ) -> None:
        """Add an exchange: `heard` is the part of the reply that was heard, and may be empty;
        `tokens` are the ids the model made for it, only where all of it was heard."""
        self._past = _with_user(self._past, question, self.leads.get(language, ""))
        if heard:
            self._past.append(Message("assistant", heard, tuple(tokens)))

    def clear(self, past: Sequence[Message] = ()) -> None:
        """Forget everything but the system prompt, and remember `past` instead."""
        self._past = list(past)

    def trim(
        self,
        question: str,
        count: Callable[[Sequence[Message]], int],
        room: int,
        language: str = "",
    ) -> int:
        """Forget the oldest exchanges if the prompt for `question` takes more than `room` tokens.

        Cuts down to `TRIM_TO` of the room at once. Returns how many messages were forgotten.
        """
        if not self._past or count(self.asking(question, language)) <= room:
            return 0
        dropped = 0
        while self._past and count(self.asking(question, language)) > room * TRIM_TO:
            self._past.pop(0)
            dropped += 1
            # A conversation begins with the user: most templates insist on it.
            while self._past and self._past[0].role == "assistant":
                self._past.pop(0)
                dropped += 1
        return dropped


def _with_user(messages: list[Message], text: str, lead: str) -> list[Message]:
    """`messages` and one more from the user, joined to a last one that was never answered."""
    if messages and messages[-1].role == "user":
        joined = f"{messages[-1].text} {text}"
        return [*messages[:-1], Message("user", joined, lead=lead or messages[-1].lead)]
    return [*messages, Message("user", text, lead=lead)]
