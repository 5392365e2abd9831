"""The conversation as the model is to remember it: what was asked, and what was heard.

The order of messages only ever grows at the end, or is cut at the front in one large step, so that
the KV cache of the language model stays a prefix of the next prompt for as long as possible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edgevoice.protocols import ChatMessage

TRIM_TO = 0.5
"""Share of the room for history that is kept when it is full: rare large steps keep the prefix."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, or what was added to one: `heard` of it was heard, which may be nothing, `unheard`
    was written beyond that. `tokens` are the ids the model made for both.

    `interrupted`: somebody broke it off. `ended`: the model had nothing to add.
    """

    heard: str
    unheard: str = ""
    tokens: tuple[int, ...] = ()
    interrupted: bool = False
    ended: bool = True

    @property
    def unfinished(self) -> bool:
        """Whether there is something to go on with."""
        return bool(self.unheard.strip()) or not self.ended


class History:
    """System prompt and past messages. Not thread-safe: its owner guards it."""

    def __init__(self, system_prompt: str) -> None:
        self._system = ChatMessage("system", system_prompt) if system_prompt else None
        self._past: list[ChatMessage] = []
        self._last: Reply | None = None
        self.leads: Mapping[str, str] = {}
        """By language, what the model reads in front of everything that is said in it."""
        self.examples: Sequence[ChatMessage] = ()
        """Questions and replies that the model reads before the conversation."""
        self.date_line: Callable[[], str] = lambda: ""
        """The current date and time, which the model reads in front of each question."""
        self._date = ""
        self._date_is_old = True

    @property
    def unfinished(self) -> Reply | None:
        """The last reply, if it was interrupted or became too long."""
        return self._last if self._last is not None and self._last.unfinished else None

    @property
    def messages(self) -> list[ChatMessage]:
        """System prompt and everything remembered, oldest first."""
        return [self._system, *self._past] if self._system else list(self._past)

    @property
    def prompt(self) -> list[ChatMessage]:
        """What the model reads before the next question: the examples are behind the system
        prompt."""
        return [*([self._system] if self._system else []), *self.examples, *self._past]

    def begin_question(self) -> None:
        """The next question is a new one: its date and time are those of when it is first asked."""
        self._date_is_old = True

    def asking(self, question: str, language: str = "") -> list[ChatMessage]:
        """The messages of a prompt that asks `question` next.

        Until `begin_question` they name the same time, so that the KV cache stays a prefix.
        """
        if self._date_is_old:
            self._date, self._date_is_old = self.date_line(), False
        return _with_user(self.prompt, question, self._lead(language))

    def going_on(self) -> list[ChatMessage]:
        """The messages of a prompt whose reply goes on with all that was written of the last."""
        reply = self._last or Reply("")
        written = reply.heard + reply.unheard
        asked = self.prompt[:-1] if reply.heard else self.prompt
        return [*asked, ChatMessage("assistant", written, reply.tokens)] if written else asked

    def remember(self, question: str, reply: Reply, language: str = "") -> None:
        """Add an exchange."""
        self._past = _with_user(self._past, question, self._lead(language))
        self._add(reply)

    def _lead(self, language: str) -> str:
        return f"{self._date} {self.leads.get(language, '')}".strip()

    def extend(self, more: Reply) -> None:
        """The last reply was gone on with: it and `more` are one from now on."""
        before = self._last or Reply("")
        if before.heard:
            self._past.pop()
        self._add(
            Reply(
                before.heard + more.heard,
                more.unheard,
                before.tokens + more.tokens,
                more.interrupted,
                more.ended,
            )
        )

    def _add(self, reply: Reply) -> None:
        self._last = reply
        if reply.heard:
            message = ChatMessage(
                "assistant", reply.heard, reply.tokens, interrupted=reply.interrupted
            )
            self._past.append(message)

    def clear(self, past: Sequence[ChatMessage] = ()) -> None:
        """Forget everything but the system prompt, and remember `past` instead."""
        self._past, self._last = list(past), None
        if past and past[-1].interrupted:
            self._last = Reply(past[-1].text, "", past[-1].tokens, interrupted=True, ended=False)

    def trim(
        self,
        question: str | None,
        count: Callable[[Sequence[ChatMessage]], int],
        room: int,
        language: str = "",
    ) -> int:
        """Forget the oldest exchanges if the prompt for `question` takes more than `room` tokens;
        with None, the prompt that goes on with the last reply, which itself is kept.

        Cuts down to `TRIM_TO` of the room at once. Returns how many messages were forgotten.
        """

        def tokens() -> int:
            return count(self.going_on() if question is None else self.asking(question, language))

        least = 0 if question is not None else self._last_exchange()
        if len(self._past) <= least or tokens() <= room:
            return 0
        dropped = 0
        while len(self._past) > least and tokens() > room * TRIM_TO:
            self._past.pop(0)
            dropped += 1
            # A conversation begins with the user: most templates insist on it.
            while self._past and self._past[0].role == "assistant":
                self._past.pop(0)
                dropped += 1
        if not self._past:
            self._last = None
        return dropped

    def _last_exchange(self) -> int:
        """How many messages the last question and its reply are."""
        return 2 if self._past and self._past[-1].role == "assistant" else 1


def _with_user(messages: list[ChatMessage], text: str, lead: str) -> list[ChatMessage]:
    """`messages` and one more from the user, joined to a last one that was never answered."""
    if messages and messages[-1].role == "user":
        joined = f"{messages[-1].text} {text}"
        return [*messages[:-1], ChatMessage("user", joined, lead=lead or messages[-1].lead)]
    return [*messages, ChatMessage("user", text, lead=lead)]
