"""Sentence templates as regular expressions, in the syntax that Home Assistant's hassil has.

`[optional]`, `(one|another)`, `{list:slot}`, `<rule>`. hassil itself took up to 23 ms for a
sentence with a timer, the same templates as expressions take a hundredth (skills-2026-12).
The text has a space behind each word, and a template matches all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

LISTS_OF_TOKENS = {"n": r"n\d ", "o": r"o\d ", "clock": r"k\d "}
"""Lists that are always there: any number, ordinal, or time of day (figures.py)."""
FREE = ("name", "text")
"""Lists of free words: a name of a few, and a text."""
_PIECE = re.compile(r"[\[\]()|]|<\w+>|\{[\w/]+(?::\w+)?\}|[^\s\[\]()|<>{}]+")


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

    def compile(self, template: str) -> Template:
        """Raises TemplateError."""
        slots: list[tuple[str, str]] = []
        expression = "".join(self._pieces(template, slots, 0))
        try:
            return Template(re.compile(expression), tuple(slots))
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


class Template:
    """One compiled template. `slots`: list and slot of each group."""

    def __init__(self, expression: re.Pattern[str], slots: tuple[tuple[str, str], ...]) -> None:
        self._expression = expression
        self._slots = slots

    def match(self, text: str) -> dict[str, tuple[str, str]] | None:
        """The list and the words of each slot; None if the template does not cover the text."""
        found = self._expression.fullmatch(text)
        if found is None:
            return None
        groups = zip(self._slots, found.groups(), strict=True)
        return {slot: (name, words.strip()) for (name, slot), words in groups if words is not None}
