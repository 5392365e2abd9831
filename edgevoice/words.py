"""Words as they are compared, lower case and without punctuation, and as they are counted."""

from __future__ import annotations

import re

IDEOGRAPHS = r"\u3400-\u9fff\uf900-\ufaff"
WIDE = rf"\u3040-\u30ff{IDEOGRAPHS}"
"""Within brackets, a regular expression's signs of languages that are written without spaces."""
SIGNS = 2
"""How many of them are counted as one word."""

_WIDE = re.compile(f"[{WIDE}]")
_APART = re.compile(rf"[{WIDE}][^\w\s]*|[^\s{WIDE}]+")
_WORD = re.compile(r"\w+(?:['’.,:/\-]\w+)*")
_MARKS = re.compile(r"[^\w\s]")


def words(text: str) -> list[str]:
    """The words of a text; what is only punctuation is none."""
    return _MARKS.sub("", text.lower()).split()


def plain(word: str) -> str:
    """One word of a text that was split at its spaces; empty if it is only punctuation."""
    return _MARKS.sub("", word.lower())


def apart(text: str) -> list[re.Match[str]]:
    """The words of a text where they stand, with their punctuation.

    Where words are written without spaces, each sign is one by itself.
    """
    return list(_APART.finditer(text))


def same_words(one: str, other: str) -> bool:
    """Whether two texts have the same words, whatever their case and punctuation."""
    first, second = ([plain(word[0]) for word in apart(text)] for text in (one, other))
    return first == second


def worth(word: str) -> float:
    """How much of a word it is that stands `apart`: a sign is a part of one."""
    return 1 / SIGNS if _WIDE.match(word) else 1.0


def count(text: str) -> int:
    """Words in `text`; where they are written without spaces, SIGNS signs are one."""
    wide = len(_WIDE.findall(text))
    return len(_WORD.findall(_WIDE.sub(" ", text))) + -(wide // -SIGNS)
