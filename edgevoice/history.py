"""The conversation for the language model: the questions, and the played part of each reply.

Messages are only added at the end, or removed at the front in one large step, so that the KV cache
stays a prefix of the next prompt for as long as possible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edgevoice.protocols import ChatMessage

TRIM_TO = 0.5
"""Share of the room that is kept when the history is full: rare large steps keep the prefix."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, or a continuation of one.

    `heard` is the part that was played, possibly empty; `unheard` is the rest. `tokens` are the
    token ids of both. `interrupted`: the user interrupted it. `ended`: the model had finished.
    `tools`: the results of its tool calls.
    """

    heard: str
    unheard: str = ""
    interrupted: bool = False
    ended: bool = True
    tools: tuple[ChatMessage, ...] = ()

    @property
    def unfinished(self) -> bool:
        """Whether it can be continued."""
        return bool(self.unheard.strip()) or not self.ended


class History:
    """System prompt and past messages. Not thread-safe; its owner locks it."""

    def __init__(self, system_prompt: str) -> None:
        self._system = ChatMessage("system", system_prompt) if system_prompt else None
        self._past: list[ChatMessage] = []
        self._last: Reply | None = None
        self.leads: Mapping[str, str] = {}
        """By language: text that precedes each question in that language."""
        self.date_line: Callable[[], str] = lambda: ""
        """The current date and time, which precedes each question."""
        self._date = ""
        self._date_is_old = True

    @property
    def unfinished(self) -> Reply | None:
        """The last reply, if it was interrupted or became too long."""
        return self._last if self._last is not None and self._last.unfinished else None

    @property
    def messages(self) -> list[ChatMessage]:
        """The system prompt and all messages, oldest first."""
        return [self._system, *self._past] if self._system else list(self._past)

    def begin_question(self) -> None:
        """The next question is a new one: its date and time are those of when it is first asked."""
        self._date_is_old = True

    def asking(self, question: str, language: str = "") -> list[ChatMessage]:
        """The messages of a prompt with `question` as the next question.

        Until `begin_question` they name the same time, so that the KV cache stays a prefix.
        """
        if self._date_is_old:
            self._date, self._date_is_old = self.date_line(), False
        return _with_user(self.messages, question, self._lead(language), language)

    def going_on(self) -> list[ChatMessage]:
        """The messages of a prompt that continues the last reply, played or not."""
        reply = self._last or Reply("")
        written = reply.heard + reply.unheard
        asked = self.messages[:-1] if reply.heard else self.messages
        return [*asked, ChatMessage("assistant", written)] if written else asked

    def remember(self, question: str, reply: Reply, language: str = "") -> None:
        """Add an exchange."""
        self._past = _with_user(self._past, question, self._lead(language), language)
        self._past += reply.tools
        self._add(reply)

    def _lead(self, language: str) -> str:
        return f"{self._date} {self.leads.get(language, '')}".strip()

    def extend(self, more: Reply) -> None:
        """Append `more` to the last reply, which it continues."""
        before = self._last or Reply("")
        if before.heard:
            self._past.pop()
        self._past += more.tools
        heard = before.heard + more.heard
        self._add(Reply(heard, more.unheard, more.interrupted, more.ended))

    def _add(self, reply: Reply) -> None:
        self._last = reply
        if reply.heard:
            message = ChatMessage("assistant", reply.heard, interrupted=reply.interrupted)
            self._past.append(message)

    def clear(self, past: Sequence[ChatMessage] = ()) -> None:
        """Replace all messages but the system prompt by `past`."""
        self._past, self._last = list(past), None
        if past and past[-1].interrupted:
            self._last = Reply(past[-1].text, interrupted=True, ended=False)

    def trim(
        self,
        question: str | None,
        count: Callable[[Sequence[ChatMessage]], int],
        room: float,
        language: str = "",
    ) -> int:
        """Remove the oldest exchanges if the prompt for `question` exceeds `room` tokens.

        `question` None means the prompt that continues the last reply, which is kept. `count`
        counts the tokens of messages. Removes at once down to TRIM_TO of the room; returns how many
        messages were removed.
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
            # Most chat templates require that a conversation starts with the user.
            while self._past and self._past[0].role != "user":
                self._past.pop(0)
                dropped += 1
        if not self._past:
            self._last = None
        return dropped

    def _last_exchange(self) -> int:
        """The number of messages of the last question, its tool results and its reply."""
        return 1 + next((n for n, m in enumerate(reversed(self._past)) if m.role == "user"), 0)


def _with_user(
    messages: list[ChatMessage], text: str, lead: str, language: str
) -> list[ChatMessage]:
    """`messages` with a user message, which is joined to a last one without a reply."""
    if messages and messages[-1].role == "user":
        joined = f"{messages[-1].text} {text}"
        lead = lead or messages[-1].lead
        question = ChatMessage("user", joined, lead=lead, newest=text, language=language)
        return [*messages[:-1], question]
    return [*messages, ChatMessage("user", text, lead=lead, language=language)]
