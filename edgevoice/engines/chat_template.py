"""A model's own chat template: messages to the prompt text it was trained on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NoReturn

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from edgevoice.stages import Message

_PROBE = "probe-4711"


class TemplateRefused(ValueError):
    """The template is broken, or refuses a plain conversation."""


class ChatTemplate:
    """Renders messages with the Jinja template `source` from the model file, in a sandbox.

    A model that knows no system role gets the system text in front of the first user message;
    one that insists on taking turns gets messages of one role in a row joined into one. Raises
    TemplateRefused if not even a single question can be rendered.
    """

    def __init__(self, source: str, bos: str = "", eos: str = "") -> None:
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
        self._bos, self._eos = bos, eos
        try:
            self._template = environment.from_string(source)
        except jinja2.TemplateError as error:
            raise TemplateRefused(f"the chat template is broken: {error}") from None
        user = Message("user", "Hello")
        self._knows_system = self._renders(Message("system", _PROBE), user)
        self._takes_turns = not self._renders(Message("user", _PROBE), user)
        if not self._renders(Message("user", _PROBE)):
            raise TemplateRefused("the chat template does not render a question")

    def render(self, messages: Sequence[Message], opening: bool = True) -> str:
        """The prompt text; with `opening` it ends where the assistant's reply begins."""
        return self._render([(m.role, m.text) for m in self._fitted(messages)], opening)

    def _fitted(self, messages: Sequence[Message]) -> list[Message]:
        fitted: list[Message] = []
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
            fitted.append(Message(message.role, text))
        if pending:
            fitted.append(Message("user", pending))
        return fitted

    def _renders(self, *messages: Message) -> bool:
        """Whether the probe text in `messages` comes out at the other end."""
        try:
            return _PROBE in self._render([(m.role, m.text) for m in messages], True)
        except TemplateRefused:
            return False

    def _render(self, messages: list[tuple[str, str]], opening: bool) -> str:
        try:
            return self._template.render(
                messages=[{"role": role, "content": text} for role, text in messages],
                add_generation_prompt=opening,
                bos_token=self._bos,
                eos_token=self._eos,
                tools=None,
                # Models that can think aloud first answer seconds later: not in a conversation.
                enable_thinking=False,
            )
        except (jinja2.TemplateError, TypeError, ValueError, AttributeError, KeyError) as error:
            raise TemplateRefused(f"the chat template refuses the messages: {error}") from None


def _joined(first: str, second: str) -> str:
    return f"{first}\n\n{second}" if first else second


def _refuse(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _to_json(value: Any, indent: int | None = None, **_: Any) -> str:
    # Jinja's own filter escapes for HTML, which no model was trained on.
    return json.dumps(value, ensure_ascii=False, indent=indent)
