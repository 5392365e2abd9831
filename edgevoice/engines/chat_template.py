"""Render messages with a model's own chat template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgevoice.engines.chat_sandbox import LimitExceeded, Sandbox
from edgevoice.languages.unspoken import left_open
from edgevoice.protocols import ChatMessage

_PROBE = "probe-4711"


class TemplateRefused(ValueError):
    """The template is broken, or refuses a plain conversation."""


class _LimitReached(TemplateRefused):
    """The template reached a limit of the sandbox; another attempt would fail too."""


class ChatTemplate:
    """Renders messages with the Jinja template `source` from the model file, in a sandbox.

    Without a system role in the template, the system text goes before the first user message. If
    roles must alternate, consecutive messages of one role are joined. Raises TemplateRefused if
    the template cannot render a question and a short conversation.
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
        self._has_system_role = self._renders(ChatMessage("system", _PROBE), user)
        self._alternates = not self._renders(ChatMessage("user", _PROBE), user)
        if _PROBE not in self.render([ChatMessage("user", _PROBE)]):
            raise TemplateRefused("the chat template does not render a question")
        self.opened = left_open(self.render([user]))
        """What a reply goes on with although the model does not write it: `<think>`, or nothing."""
        system, reply = ChatMessage("system", "Be brief."), ChatMessage("assistant", "Yes.")
        if _PROBE not in self.render([system, user, reply, ChatMessage("user", _PROBE)]):
            raise TemplateRefused("the chat template does not render a conversation")

    def render(self, messages: Sequence[ChatMessage], add_opening: bool = True) -> str:
        """The prompt text; with `add_opening` it ends where the reply begins.

        Raises TemplateRefused.
        """
        return self._render([(m.role, m.text) for m in self._adapted(messages)], add_opening)

    def _adapted(self, messages: Sequence[ChatMessage]) -> list[ChatMessage]:
        adapted: list[ChatMessage] = []
        pending = ""
        for message in messages:
            if message.role == "system" and not self._has_system_role:
                pending = _joined(pending, message.whole)
                continue
            text = message.whole
            if pending and message.role == "user":
                text, pending = _joined(pending, text), ""
            if self._alternates and adapted and adapted[-1].role == message.role:
                text = _joined(adapted.pop().text, text)
            adapted.append(ChatMessage(message.role, text))
        if pending:
            adapted.append(ChatMessage("user", pending))
        return adapted

    def _renders(self, *messages: ChatMessage) -> bool:
        """Whether the rendered `messages` contain the probe text."""
        try:
            return _PROBE in self._render([(m.role, m.text) for m in messages], True)
        except _LimitReached:
            raise
        except TemplateRefused:
            return False

    def _render(self, messages: list[tuple[str, str]], add_opening: bool) -> str:
        try:
            return self._sandbox.rendered(
                self._template,
                {
                    "messages": [{"role": role, "content": text} for role, text in messages],
                    "add_generation_prompt": add_opening,
                    "bos_token": self._bos,
                    "eos_token": self._eos,
                    "tools": None,
                    # Thinking before the reply takes seconds, too long for a conversation.
                    "enable_thinking": False,
                },
            )
        except (LimitExceeded, RecursionError, MemoryError) as error:
            raise _LimitReached(f"the chat template wants too much: {_reason(error)}") from None
        except Exception as error:
            raise TemplateRefused(
                f"the chat template refuses the messages: {_reason(error)}"
            ) from None


def _joined(first: str, second: str) -> str:
    return f"{first}\n\n{second}" if first else second


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:200]
