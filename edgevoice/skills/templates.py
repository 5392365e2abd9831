"""Sentence templates as regular expressions, in the syntax that Home Assistant's hassil has.

`[optional]`, `(one|another)`, `{list:slot}`, `<rule>`. hassil itself took up to 23 ms for a
sentence with a timer, the same templates as expressions take a fiftieth (skills-2026-12).
The text has a space behind each word, and a template matches all of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property

LISTS_OF_TOKENS = {"n": r"n\d ", "o": r"o\d ", "clock": r"k\d "}
"""Lists that are always there: any number, ordinal, or time of day (figures.py)."""
FREE = ("name", "text")
"""Lists of free words: a name of a few, and a text."""
_PIECE = re.compile(r"[\[\]()|]|<\w+>|\{[\w/]+(?::\w+)?\}|[^\s\[\]()|<>{}]+")


_Compiled = tuple[re.Pattern[str], tuple[tuple[str, str], ...]]


class TemplateError(ValueError):
    """A template is wrong, with the reason."""


class TemplateCompiler:
    """Compiles the templates of one language. `lists`: value by phrase, for each list.

    `not_names` are words that no name has.
    """

    def __init__(
        self,
        lists: Mapping[str, Mapping[str, str]],
        rules: Mapping[str, str],
        not_names: Iterable[str] = (),
    ) -> None:
        self._rules = rules
        never = "|".join([r"[nok]\d", *map(re.escape, not_names)])
        name, text = rf"(?:(?!(?:{never}) )\S+ ){{1,3}}?", r"(?:\S+ ){1,20}?"
        self._lists = {**LISTS_OF_TOKENS, "name": name, "text": text}
        for name, phrases in lists.items():
            longest_first = sorted(phrases, key=len, reverse=True)
            self._lists[name] = "|".join(re.escape(phrase) + " " for phrase in longest_first)

    def template(self, template: str) -> Template:
        """A template, compiled when it is needed first."""
        return Template(lambda: self._compiled(template), required(template))

    def _compiled(self, template: str) -> _Compiled:
        """Raises TemplateError."""
        slots: list[tuple[str, str]] = []
        expression = "".join(self._pieces(template, slots, 0))
        try:
            return re.compile(expression), tuple(slots)
        except re.error as error:
            raise TemplateError(f"{template!r} has an open or closing bracket too many") from error

    def _pieces(self, template: str, slots: list[tuple[str, str]], depth: int) -> Iterator[str]:
        if depth > 8:
            raise TemplateError("a rule contains itself")
        if rest := _PIECE.sub("", template).strip():
            raise TemplateError(f"{template!r} has a {rest[0]!r} too many")
        for piece in _PIECE.findall(template):
            match piece[0]:
                case "[" | "(":
                    yield "(?:"
                case "]":
                    yield ")?"
                case ")" | "|":
                    yield piece
                case "<":
                    rule = self._rules.get(piece[1:-1])
                    if rule is None:
                        raise TemplateError(f"{template!r} has {piece}, and there is no such rule")
                    yield "(?:"
                    yield from self._pieces(rule, slots, depth + 1)
                    yield ")"
                case "{":
                    name, _, slot = piece[1:-1].partition(":")
                    if name not in self._lists:
                        raise TemplateError(f"{template!r} has {piece}, and there is no such list")
                    slots.append((name, slot or name))
                    yield f"({self._lists[name]})"
                case _:
                    yield re.escape(piece.lower()) + " "


def required(template: str) -> frozenset[str]:
    """Words without which a template cannot match: those outside brackets and alternatives."""
    depth, words = 0, set()
    for piece in _PIECE.findall(template):
        if piece == "|" and not depth:
            return frozenset()
        depth += (piece in "([") - (piece in ")]")
        if not depth and piece[0] not in "()[]<{":
            words.add(piece.lower())
    return frozenset(words)


class Template:
    """One template. `required`: words without which it cannot match."""

    def __init__(self, compiled: Callable[[], _Compiled], required: frozenset[str]) -> None:
        self._compile = compiled
        self.required = required

    @cached_property
    def compiled(self) -> _Compiled:
        """The expression, and the list and the slot of each group. Raises TemplateError."""
        return self._compile()

    def match(self, text: str) -> dict[str, tuple[str, str]] | None:
        """The list and the words of each slot; None if the template does not cover the text."""
        expression, slots = self.compiled
        found = expression.fullmatch(text)
        if found is None:
            return None
        groups = zip(slots, found.groups(), strict=True)
        return {slot: (name, words.strip()) for (name, slot), words in groups if words is not None}
