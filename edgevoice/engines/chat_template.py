"""A model's own chat template: messages to the prompt text it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgevoice.engines.chat_sandbox import LimitExceeded, Sandbox
from edgevoice.protocols import ChatMessage

_PROBE = "probe-4711"


class TemplateRefused(ValueError):
    """The template is broken, or refuses a plain conversation."""


class _TooCostly(TemplateRefused):
    """The template ran into a limit, and would again."""


class ChatTemplate:
    """Renders messages with the Jinja template `source` from the model file, in a sandbox.

    A model that knows no system role gets the system text in front of the first user message;
    one that insists on taking turns gets messages of one role in a row joined into one. Raises
    TemplateRefused if it cannot render a question and a short conversation.
    """

    def __init__(self, source: Any, bos: str = "", eos: str = "") -> None:
        self._bos, self._eos = bos, eos
        self._sandbox = Sandbox()
        try:
            if not isinstance(source, str):
                raise TypeError("it is no text")
            self._template = self._sandbox.compiled(source)
        except Exception as error:  # a template is a program, and may fail as any program may
            raise TemplateRefused(f"the chat template is broken: {_reason(error)}") from None
        user = ChatMessage("user", "Hello")
        self._knows_system = self._renders(ChatMessage("system", _PROBE), user)
        self._takes_turns = not self._renders(ChatMessage("user", _PROBE), user)
        if _PROBE not in self.render([ChatMessage("user", _PROBE)]):
            raise TemplateRefused("the chat template does not render a question")
        system, reply = ChatMessage("system", "Be brief."), ChatMessage("assistant", "Yes.")
        if _PROBE not in self.render([system, user, reply, ChatMessage("user", _PROBE)]):
            raise TemplateRefused("the chat template does not render a conversation")

    def render(self, messages: Sequence[ChatMessage], opening: bool = True) -> str:
        """The prompt text; with `opening` it ends where the assistant's reply begins."""
        return self._render([(m.role, m.text) for m in self._fitted(messages)], opening)

    def _fitted(self, messages: Sequence[ChatMessage]) -> list[ChatMessage]:
        fitted: list[ChatMessage] = []
        pending = ""
        for message in messages:
            if message.role == "system" and not self._knows_system:
                pending = _joined(pending, message.whole)
                continue
            text = message.whole
            if pending and message.role == "user":
                text, pending = _joined(pending, text), ""
            if self._takes_turns and fitted and fitted[-1].role == message.role:
                text = _joined(fitted.pop().text, text)
            fitted.append(ChatMessage(message.role, text))
        if pending:
            fitted.append(ChatMessage("user", pending))
        return fitted

    def _renders(self, *messages: ChatMessage) -> bool:
        """Whether the probe text in `messages` comes out at the other end."""
        try:
            return _PROBE in self._render([(m.role, m.text) for m in messages], True)
        except _TooCostly:
            raise
        except TemplateRefused:
            return False

    def _render(self, messages: list[tuple[str, str]], opening: bool) -> str:
        try:
            return self._sandbox.rendered(
                self._template,
                {
                    "messages": [{"role": role, "content": text} for role, text in messages],
                    "add_generation_prompt": opening,
                    "bos_token": self._bos,
                    "eos_token": self._eos,
                    "tools": None,
                    # Models that can think aloud first answer seconds later: not in a conversation.
                    "enable_thinking": False,
                },
            )
        except (LimitExceeded, RecursionError, MemoryError) as error:
            raise _TooCostly(f"the chat template wants too much: {_reason(error)}") from None
        except Exception as error:
            raise TemplateRefused(
                f"the chat template refuses the messages: {_reason(error)}"
            ) from None


def _joined(first: str, second: str) -> str:
    return f"{first}\n\n{second}" if first else second


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:200]
