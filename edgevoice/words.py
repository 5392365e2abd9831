"""Compare words, in lower case and without punctuation, and count them."""

from __future__ import annotations

import re

IDEOGRAPHS = r"\u3400-\u9fff\uf900-\ufaff"
WIDE = rf"\u3040-\u30ff{IDEOGRAPHS}"
"""Characters of languages that are written without spaces, for a [] of a regular expression."""
CHARACTERS_PER_WORD = 2
"""How many of these characters count as a word."""

_WIDE = re.compile(f"[{WIDE}]")
_APART = re.compile(rf"[{WIDE}][^\w\s]*|[^\s{WIDE}]+")
_WORD = re.compile(r"\w+(?:['’.,:/\-]\w+)*")
_MARKS = re.compile(r"[^\w\s]")


def words(text: str) -> list[str]:
    """The words of a text, in lower case and without punctuation."""
    return _MARKS.sub("", text.lower()).split()


def plain(word: str) -> str:
    """A word in lower case and without punctuation; empty if it is only punctuation."""
    return _MARKS.sub("", word.lower())


def apart(text: str) -> list[re.Match[str]]:
    """The words of a text with their positions and punctuation.

    In languages without spaces, each character is a word.
    """
    return list(_APART.finditer(text))


def same_words(one: str, other: str) -> bool:
    """Whether two texts have the same words, regardless of case and punctuation."""
    first, second = ([plain(word[0]) for word in apart(text)] for text in (one, other))
    return first == second


def worth(word: str) -> float:
    """How many words a match of `apart` counts as: less than one for a single character."""
    return 1 / CHARACTERS_PER_WORD if _WIDE.match(word) else 1.0


def count(text: str) -> int:
    """The number of words; in languages without spaces, CHARACTERS_PER_WORD characters are one."""
    wide = len(_WIDE.findall(text))
    return len(_WORD.findall(_WIDE.sub(" ", text))) + -(wide // -CHARACTERS_PER_WORD)
