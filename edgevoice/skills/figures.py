"""Finds the numbers, ordinals and times of day in an utterance, in digits or in words.

Each becomes a token, so that a sentence template has one slot for any number: `n0`, `n1` for
numbers, `o0` for ordinals, `k0` for times of day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from edgevoice.languages import cldr

MOST = 10
"""Most figures of each kind in an utterance; one with more has no template."""
DIGITS = "\ue000"
"""Marks a number in digits, while an utterance is read."""
LONGEST_PHRASE = 4
"""Words of a number in a language whose number words are a table."""
LARGEST_IN_TABLE = 100
"""Largest number in words of such a language."""
SIGN_WORDS = {
    "×": "xtimes",
    "*": "xtimes",
    "·": "xtimes",
    "÷": "xover",
    "/": "xover",
    "+": "xplus",
    "−": "xminus",
    "–": "xminus",
    "^": "xpower",
    "√": "xroot",
    "²": "xsquared",
    "°c": "xcelsius",
    "°f": "xfahrenheit",
    "%": "xpercent",
    "=": " ",
}
"""Signs that a recognizer writes, and the words that stand for them in templates."""

_CLOCK = re.compile(r"(?<![\d.,:])(\d{1,2}):(\d\d)(?![\d:])")
_DOTTED_CLOCK = re.compile(r"(?<![\d.,:])(\d{1,2})[.](\d\d)(?=\s*(?:[ap]\.?\s?m\b|uhr\b))")
_HALF = re.compile(r"(?<=[\d\s])([ap])\s?\.?\s?m\b\.?")
_TOKEN = re.compile(r"[^\s\-]+|-")


@dataclass(frozen=True, slots=True)
class NumberWords:
    """The number words of a language.

    `values` are added, `scales` multiply what is before them, `ordinals` are values of their own.
    `joined`: the words of a number are written as one. `joiner` stands between two parts.
    `halves` stand behind a number and add to it; `points` begin its decimals.
    """

    values: Mapping[str, int]
    scales: Mapping[str, int] = field(default_factory=dict)
    ordinals: Mapping[str, int] = field(default_factory=dict)
    ordinal_marks: tuple[str, ...] = ()
    halves: Mapping[str, str] = field(default_factory=dict)
    whole: Mapping[str, str] = field(default_factory=dict)
    never_alone: frozenset[str] = frozenset()
    points: frozenset[str] = frozenset()
    joiner: str = ""
    joined: bool = False


def table(language: str) -> NumberWords:
    """The number words of a language by CLDR, up to a hundred; 1 is an article as well."""
    words = {
        spelled.replace("-", " ").replace("\xad", ""): number
        for rule in ("cardinal-feminine", "cardinal-masculine", "cardinal", "numbering")
        for number in (0, *range(2, LARGEST_IN_TABLE + 1))
        if (spelled := cldr.spelled(number, language, rule))
    }
    return NumberWords(words)


@dataclass(frozen=True, slots=True)
class FoundFigures:
    """An utterance with tokens in place of its figures, and what these are."""

    text: str
    numbers: tuple[Fraction, ...] = ()
    ordinals: tuple[int, ...] = ()
    clocks: tuple[tuple[int, int], ...] = ()
    written: Mapping[str, str] = field(default_factory=dict)
    """What stood in the place of each token, and each word as it was written."""

    def restored(self, text: str) -> str:
        """A part of the text as it was written."""
        return " ".join(self.written.get(word, word) for word in text.split())


class FigureFinder:
    """Finds the figures in utterances of one language."""

    def __init__(self, language: str, words: NumberWords | None) -> None:
        self._words = words or table(language)
        self._point, self._group = cldr.marks(language)

    @cached_property
    def _number(self) -> re.Pattern[str]:
        point, group = re.escape(self._point), re.escape(self._group)
        whole = rf"\d{{1,3}}(?:{group}\d{{3}})+(?!\d)|\d+"
        return re.compile(rf"(?<![\w])(?:{whole})(?:{point}\d+)?")

    @cached_property
    def _parts(self) -> re.Pattern[str]:
        known = {*self._words.values, *self._words.scales, *self._words.never_alone}
        names = sorted((known | {self._words.joiner}) - {""}, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, names)) or r"(?!)")

    def find(self, text: str) -> FoundFigures:
        """The utterance in lower case, without punctuation, with its figures as tokens."""
        text = " " + text.replace("’", "'").replace(DIGITS, "") + " "
        written = {word.lower(): word for word in re.findall(r"[\w']+(?:-\w+)*", text)}
        text = text.lower()
        clocks: list[tuple[int, int]] = []

        def clock(match: re.Match[str]) -> str:
            hour, minute = int(match[1]), int(match[2])
            if hour > 24 or minute > 59:
                return match[0]
            token = f"k{len(clocks)}"
            clocks.append((hour % 24, minute))
            written[token] = match[0]
            return f" {token} "

        text = _DOTTED_CLOCK.sub(clock, _CLOCK.sub(clock, text))
        text = _HALF.sub(r" \1m ", text)
        text = self._with_symbols(text)
        digits = self._number.sub(lambda match: f" {DIGITS}{match[0]} ", text)
        digits = re.sub(r"(?<!\d)[.,](?!\d)|[?!;:¿¡\"„“”«»()…]", " ", digits)
        tokens = [token for token in _TOKEN.findall(digits) if token != "-"]
        return self._tokens(tokens, tuple(clocks), written)

    def _with_symbols(self, text: str) -> str:
        for sign, word in SIGN_WORDS.items():
            text = text.replace(sign, f" {word} ")
        text = re.sub(r"(?<=\d)\s*[x]\s*(?=\d)", " xtimes ", text)
        text = re.sub(r"(?<=\d)\s*-\s*(?=\d)", " xminus ", text)
        return re.sub(r"(?<=\s)-(?=\d)", "xminus ", text)

    def _tokens(
        self, tokens: Sequence[str], clocks: tuple[tuple[int, int], ...], written: dict[str, str]
    ) -> FoundFigures:
        numbers: list[Fraction] = []
        ordinals: list[int] = []
        out: list[str] = []
        at = 0
        while at < len(tokens):
            size, value, ordinal = self._read(tokens, at)
            if not size:
                out.append(tokens[at].strip(".,"))
                at += 1
                continue
            token = f"o{len(ordinals)}" if ordinal else f"n{len(numbers)}"
            if ordinal:
                ordinals.append(int(value))
            else:
                numbers.append(value)
            written[token] = " ".join(tokens[at : at + size]).replace(DIGITS, "")
            out.append(token)
            at += size
        text = " ".join(filter(None, out))
        return FoundFigures(text, tuple(numbers), tuple(ordinals), clocks, written)

    def _read(self, tokens: Sequence[str], at: int) -> tuple[int, Fraction, bool]:
        """The number that begins at token `at`: how many tokens, its value, if it is an ordinal."""
        words = self._words
        token = tokens[at]
        following = tokens[at + 1] if at + 1 < len(tokens) else ""
        if token[0] == DIGITS:
            value = self._value(token[1:])
            size = 1
            if following in words.ordinal_marks and value.denominator == 1:
                return 2, value, True
            if following in words.scales and words.scales[following] > 100:
                value, size = value * words.scales[following], 2
        elif token in words.ordinals:
            return 1, Fraction(words.ordinals[token]), True
        else:
            size, value = self._spoken(tokens, at)
            after = tokens[at + size] if size and at + size < len(tokens) else ""
            if after in words.ordinals and value % 10 == 0 and words.ordinals[after] < 10:
                return size + 1, value + words.ordinals[after], True
        if not size:
            return 0, Fraction(0), False
        return *self._with_part(tokens, at, size, value), False

    def _with_part(
        self, tokens: Sequence[str], at: int, size: int, value: Fraction
    ) -> tuple[int, Fraction]:
        """A number with the half or the decimals that follow it."""
        rest = " ".join(tokens[at + size : at + size + 4])
        for phrase, part in self._words.halves.items():
            if (rest + " ").startswith(phrase + " "):
                return size + len(phrase.split()), value + Fraction(part)
        if tokens[at + size : at + size + 1] and tokens[at + size] in self._words.points:
            decimals = ""
            for token in tokens[at + size + 1 :]:
                digit = self._words.values.get(token)
                if digit is None or digit > 9:
                    break
                decimals += str(digit)
            if decimals:
                value += Fraction(int(decimals), 10 ** len(decimals))
                return size + 1 + len(decimals), value
        return size, value

    def _value(self, digits: str) -> Fraction:
        return Fraction(digits.replace(self._group, "").replace(self._point, "."))

    def _spoken(self, tokens: Sequence[str], at: int) -> tuple[int, Fraction]:
        words = self._words
        if tokens[at] in words.whole:
            return 1, Fraction(words.whole[tokens[at]])
        if words.joined:
            return self._compound(tokens[at])
        if not words.scales:
            for size in range(min(LONGEST_PHRASE, len(tokens) - at), 0, -1):
                found = words.values.get(" ".join(tokens[at : at + size]))
                if found is not None:
                    return size, Fraction(found)
            return 0, Fraction(0)
        read: list[str] = []
        for token in tokens[at:]:
            known = token in words.values or token in words.scales or token in words.never_alone
            if not (known or token == words.joiner):
                break
            read.append(token)
        while read and (read[-1] == words.joiner):
            read.pop()
        while read:
            total = self._sum(read)
            if total is not None:
                return len(read), Fraction(total)
            read.pop()
        return 0, Fraction(0)

    def _compound(self, word: str) -> tuple[int, Fraction]:
        parts = self._parts.findall(word)
        if "".join(parts) != word or word in (self._words.joiner, *self._words.never_alone):
            return 0, Fraction(0)
        total = self._sum(parts)
        return (0, Fraction(0)) if total is None else (1, Fraction(total))

    def _sum(self, parts: Sequence[str]) -> int | None:
        """The value of number words in a row; None if they are not one number."""
        words = self._words
        total, group, free = 0, 0, 10**12
        counted = False
        for number, part in enumerate(parts):
            if part == words.joiner:
                if not counted or number == len(parts) - 1:
                    return None
                continue
            if part in words.scales:
                scale = words.scales[part]
                if scale == 100:
                    group, free = (group or 1) * 100, 100
                else:
                    total, group, free = total + (group or 1) * scale, 0, min(scale, 10**12)
                counted = True
                continue
            value = words.values.get(part, 1)
            if words.joined and number + 2 < len(parts) and parts[number + 1] == words.joiner:
                # "dreiundzwanzig": the unit comes first.
                tens = words.values.get(parts[number + 2], 0)
                if not 20 <= tens <= 90 or value > 9:
                    return None
            elif words.joined and number >= 2 and parts[number - 1] == words.joiner:
                if parts[number - 2] in words.scales and value >= free:
                    return None
            elif value >= free:
                return None
            group += value
            free = 10 if 20 <= value <= 90 else 1 if value < 20 else free
            if words.joined and number + 1 < len(parts) and parts[number + 1] == words.joiner:
                free = 100
            counted = True
        return total + group
