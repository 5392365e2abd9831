"""Cuts the generated text into clauses for the synthesizer.

It works character by character, so that the token boundaries make no difference. The first clause
is cut early, because the user waits for it; later ones at natural breaks, while the clause before
is played. A `CutTiming` decides how early; without one, the number of words decides.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, Protocol

from edgevoice.languages import all_words, language_data, unspoken
from edgevoice.languages.calendar import calendar
from edgevoice.languages.text_normalization import normalize
from edgevoice.messages import Clause
from edgevoice.words import count

Break = Literal["sentence", "pause", "comma", "conjunction", "word"]

LATER: dict[Break, int] = {"sentence": 1, "pause": 5, "comma": 8, "conjunction": 12, "word": 25}
"""Least words of a later clause, by kind of break."""
FIRST_WORDS = 4
"""Least words of the first clause without a setting or a timing."""
FIRST_SLACK = 3
"""Words beyond `first_words` after which the first clause is cut without any natural break."""
LAST_RESORT = 40
"""Words after which a clause is cut between any two words."""
LONGEST_WORD = 120
"""Letters without a space after which a clause is cut between any two; wide signs count twice.

A voice needs memory for a whole clause at once."""

LONGEST_ITEM = 3
"""Digits of the longest number of a list's item; a longer one with a full stop is a sentence."""
LONGEST_LINK_NAME = 200
"""Longest name of a link in characters; a longer one is no link."""
LONGEST_CLAUSE = 1000
"""Characters after which the text is cut anywhere: the cost of each one grows with the length."""

_ENDERS = "!?؟۔।॥։።။។"
_WIDE_ENDERS = "。！？｡"
_WIDE_COMMAS = "、，"
_WIDE_PAUSES = "；："
_CLOSERS = "\"'”’»›)]}*_~`」』）】》〉"
_OPENERS = "\"'“‘«‹([{*_~`¿¡"
_FENCES = ("```", "~~~")

_NEVER_LAST = all_words(
    lambda each: (
        *each.clauses.never_last,
        *(word.rstrip(".").lower() for word in each.signs.name_abbreviations),
    )
)
_BEFORE_NUMBERS = all_words(
    lambda each: (
        *each.clauses.before_numbers,
        *(word.rstrip(".").lower() for word in each.signs.number_abbreviations),
    )
)
_ENDS_BEFORE_NUMBERS = tuple(word[1:] for word in _BEFORE_NUMBERS if word.startswith("-"))
_LAST_BEFORE_CAPITAL = all_words(lambda each: each.clauses.last_before_capital)
_CONJUNCTIONS = all_words(lambda each: each.clauses.conjunctions)
_LEAN_FORWARD = all_words(lambda each: each.clauses.leaning)
_JOINER = "\u200d"
_DOTTED = re.compile(r"(?:\w\.)+\w$")


class CutTiming(Protocol):
    """Decides by time at which break to cut; `chars` are spoken characters."""

    def may_begin(self, kind: Break, words: int, chars: int) -> bool:
        """Whether the first clause may be cut at this break."""

    def must_go_on(self, kind: Break, words: int, chars: int, now: float) -> bool:
        """Whether a later clause must be cut at this break, although it is short."""

    def cut(self, chars: int, now: float) -> None:
        """A clause was cut."""


class ClauseCutter:
    """Cuts one reply.

    The first clause may end after `first_words` words. 0: `timing` decides, or a few words without
    one. None: it is cut like any other clause, because the user does not wait for it. `start` is
    the position of the text in the reply.
    """

    def __init__(
        self,
        first_words: int | None,
        language: str = "en",
        timing: CutTiming | None = None,
        start: int = 0,
    ) -> None:
        self._language = language
        self._timing = None if first_words else timing
        self._first = True
        self._least: dict[Break, int] = LATER
        if first_words is not None and self._timing is None:
            first_words = first_words or FIRST_WORDS
            self._least = {
                "sentence": 1,
                "pause": first_words,
                "comma": first_words,
                "conjunction": first_words,
                "word": first_words + FIRST_SLACK,
            }
        self._pending = ""
        self._start = start
        self._code = ""
        """The fence of a code block whose beginning was already cut."""
        self._part: unspoken.UnspokenPart | None = None
        """A part of the reply that is not spoken, and has begun."""
        self._left_out = self._spoken = self._foreign = False

    def push(self, text: str, now: float = 0.0) -> list[Clause]:
        """Take the next piece of the reply, generated at `now`; returns the completed clauses."""
        clauses: list[Clause] = []
        for char in text:
            self._pending += char
            if self._is_unspoken(char, now, clauses):
                continue
            if cut := self._cut(now) or self._too_long():
                clauses.append(self._take(cut, now))
        return clauses

    def _is_unspoken(self, char: str, now: float, clauses: list[Clause]) -> bool:
        """Whether `char` belongs to a part that is not spoken; its end makes it a clause."""
        if self._part is not None:
            ends = self._part.push(char)
            if ends or len(self._pending) >= LONGEST_CLAUSE:
                clauses.append(self._leave_out())
            self._part = None if ends else self._part
            return True
        if self._code or self._pending.lstrip()[:3] in _FENCES:
            return False
        if found := unspoken.begun(self._pending):
            start, self._part = found
            if self._pending[:start].strip():
                clauses.append(self._take(start, now))
            return True
        if unspoken.closes(self._pending):
            clauses.append(self._leave_out())
            return True
        return False

    def _leave_out(self, spoken: str = "") -> Clause:
        """All that is pending as a clause, with nothing of it to be said."""
        self._left_out = True
        clause = Clause(self._pending, spoken, self._start, self._start + len(self._pending))
        self._pending, self._start = "", clause.end
        return clause

    def flush(self, now: float = 0.0) -> list[Clause]:
        """The reply is complete at `now`; returns the rest of it.

        Where nothing was to be said of all of it, the last clause says so.
        """
        if self._part is None and self._pending.strip():
            return [self._take(len(self._pending), now)]
        left_out = self._left_out or self._part is not None
        if left_out and not self._spoken:
            return [self._leave_out(language_data(self._language).signs.reasoned)]
        return [self._leave_out()] if self._pending else []

    def _take(self, length: int, now: float) -> Clause:
        text, self._pending = self._pending[:length], self._pending[length:]
        spoken = "" if self._code else normalize(text, self._language)
        if spoken and spoken == language_data(self._language).signs.foreign:
            spoken, self._foreign = "" if self._foreign else spoken, True
        if self._code:
            self._code = "" if _closes(text, self._code) else self._code
        elif text.lstrip()[:3] in _FENCES and _fenced(text.lstrip()) == "open":
            self._code = text.lstrip()[:3]
        clause = Clause(text, spoken, self._start, self._start + length)
        self._start = clause.end
        if clause.spoken:
            self._spoken = True
            self._least = LATER
            self._first = False
            if self._timing:
                self._timing.cut(len(clause.spoken), now)
        return clause

    def _cut(self, now: float) -> int:
        """Where to cut the pending text, now that its last character is known; 0: not yet."""
        text = self._pending
        if self._code:
            return len(text) if _closes(text, self._code) else 0
        if text.lstrip()[:3] in _FENCES and (fence := _fenced(text.lstrip())) != "none":
            return len(text) if fence == "closed" else 0
        if text[-1] == "\n":
            return len(text) if text.strip() else 0
        found = _break_before_last(text, self._language)
        if found is None:
            return len(text) - 1 if _endless(text) else 0
        kind, position = found
        head = text[:position]
        words = count(head)
        if not self._enough(kind, words, len(head.strip()), now) or _inside_markup(head):
            return 0
        if kind == "word" and words < LAST_RESORT and _leans(head, text[position]):
            return 0
        return position

    def _too_long(self) -> int:
        """Where to cut very long text without a break; code at the end of a line if possible."""
        length = len(self._pending)
        code = self._code or self._pending.lstrip()[:3] in _FENCES
        whole = self._pending[-1] == "\n" or length >= 2 * LONGEST_CLAUSE or not code
        return length if length >= LONGEST_CLAUSE and whole else 0

    def _enough(self, kind: Break, words: int, chars: int, now: float) -> bool:
        """Whether the clause may end at a break of this kind."""
        if self._timing is None or not words:
            return words >= self._least[kind]
        if self._first:
            long = kind != "sentence" and words >= LATER[kind]
            return long or self._timing.may_begin(kind, words, chars)
        return words >= LATER[kind] or self._timing.must_go_on(kind, words, chars, now)


def _endless(text: str) -> bool:
    """Whether a word is too long, and may be cut before its last character."""
    run = text[-LONGEST_WORD:]
    if len(text) < LONGEST_WORD // 2 or _belongs(run[-1]) or run[-2] == _JOINER:
        return False
    word = "" if run[-1].isspace() else run.split()[-1]
    if 2 * len(word) < LONGEST_WORD:
        return False
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in word)
    return len(word) + wide >= LONGEST_WORD and "://" not in text.split()[-1]


def _belongs(char: str) -> bool:
    """Whether the character belongs to the one before."""
    return char == _JOINER or unicodedata.category(char) in ("Mn", "Mc", "Me", "Cf", "Sk")


def _break_before_last(text: str, language: str) -> tuple[Break, int] | None:
    """The break that the last character reveals: its kind and its position."""
    if len(text) < 2:
        return None
    before, last = text[-2], text[-1]
    if last.isspace():
        if before.isspace():
            return None
        word = text[:-1].rsplit(None, 1)[-1]
        start = len(text) - 1 - len(word)
        return ("conjunction", start) if start and word.lower() in _CONJUNCTIONS else None
    end = len(text) - 1
    if before.isspace():
        return _break_between(text[:end].rstrip(), last, language), end
    if last in _CLOSERS or last in _WIDE_ENDERS:
        return None
    closed = text[:end].rstrip(_CLOSERS)
    if closed and closed[-1] in _WIDE_ENDERS:
        return "sentence", end
    if before in _WIDE_PAUSES or (before == "—" and "://" not in text.rsplit(None, 1)[-1]):
        return "pause", end
    if before in _WIDE_COMMAS:
        return "comma", end
    return None


def _break_between(head: str, follows: str, language: str) -> Break:
    """The kind of break between the end of `head` and, after a space, a word with `follows`."""
    if not head:
        return "word"
    word = head.rsplit(None, 1)[-1]
    if word in ("-", "–", "—", "--"):
        in_sum = follows.isdigit() and head[: -len(word)].rstrip()[-1:].isdigit()
        return "word" if in_sum else "pause"
    core = word.rstrip(_CLOSERS)
    match core[-1:]:
        case ";" | ":":
            return "pause"
        case ",":
            return "comma"
        case ".":
            return _after_full_stop(head, core, follows, language)
        case "…":
            return "pause" if follows.islower() else "sentence"
        case mark if mark and mark in _ENDERS + _WIDE_ENDERS:
            return "pause" if follows.islower() else "sentence"
    return "word"


def _after_full_stop(head: str, core: str, follows: str, language: str) -> Break:
    if core.endswith(".."):
        return "pause" if follows.islower() else "sentence"
    stem = core[:-1].lstrip(_OPENERS)
    low = stem.lower()
    alone_on_line = head.rsplit("\n", 1)[-1].strip().strip(_OPENERS + _CLOSERS) == stem + "."
    abbreviated = (
        low in _NEVER_LAST
        or (follows.isdigit() and (low in _BEFORE_NUMBERS or low.endswith(_ENDS_BEFORE_NUMBERS)))
        or (low in _LAST_BEFORE_CAPITAL and not follows.isupper())
        or (bool(_DOTTED.match(stem)) and low not in _LAST_BEFORE_CAPITAL)
        or (len(stem) == 1 and stem.isalpha() and stem != "I" and stem.isascii())
        or (alone_on_line and stem.isdigit() and len(stem) <= LONGEST_ITEM)
        or calendar(language).is_ordinal(head)
        or follows.islower()
    )
    return "word" if abbreviated else "sentence"


def _leans(head: str, follows: str) -> bool:
    """Whether a cut here would sound wrong: after a preposition, or beside a number."""
    word = head.split()[-1].strip(_OPENERS + _CLOSERS).lower()
    numeric = follows.isdigit() or any(char.isdigit() for char in word)
    return numeric or word.endswith(".") or word in _LEAN_FORWARD


def _inside_markup(head: str) -> bool:
    """Whether `head` ends within inline code, a link or a table row."""
    line = head.rsplit("\n", 1)[-1]
    name, address = line.rfind("["), line.rfind("](")
    named = name > line.rfind("]") and len(line) - name <= LONGEST_LINK_NAME
    addressed = address >= 0 and not re.search(r"[)\s]", line[address:])
    return line.count("`") % 2 == 1 or named or addressed or line.lstrip()[:1] == "|"


def _fenced(text: str) -> Literal["none", "open", "closed"]:
    """Whether text that begins with a fence is a block of code, and whether it has ended."""
    first, newline, rest = text.partition("\n")
    if "`" in first.lstrip("`"):
        return "none"
    if not newline or not rest.endswith("\n"):
        return "open"
    return "closed" if _closes(rest, text[:3]) else "open"


def _closes(text: str, fence: str) -> bool:
    """Whether the last line of `text` is whole, and ends a block of code."""
    return text[-1:] == "\n" and text[:-1].rsplit("\n", 1)[-1].strip().startswith(fence)
