"""Text in scripts that a voice of a language cannot read."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from edgevoice.languages import cldr

_ALWAYS = frozenset({"LATIN", "GREEK", "FULLWIDTH"})
"""Formulas have Greek letters in all languages."""
_TOGETHER = {"CJK": ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC", "HANGUL")}
_JOINERS = re.compile("(?<= )[\u200c\u200d]+|[\u200c\u200d]+(?= )")
_LETTERS = re.compile(r"[^\W\d_]")


def readable(text: str, language: str) -> str:
    """`text` without letters of scripts that the language is not written in; maybe empty.

    A language of which the script is not known reads everything.
    """
    if text.isascii() or not (own := _scripts(language)):
        return text
    kept = _JOINERS.sub("", "".join(" " if _foreign(char, own) else char for char in text))
    if kept == text:
        return text
    return kept if _LETTERS.search(kept) or any(map(str.isdigit, kept)) else ""


def _foreign(char: str, own: frozenset[str]) -> bool:
    if 0x3000 <= ord(char) < 0x3040 or 0xFF00 <= ord(char) < 0xFF66:
        return "CJK" not in own
    # Below are the letters of Latin and Greek, and above all combining marks of them.
    if ord(char) < 0x400 or not (char.isalpha() or unicodedata.category(char) in ("Mn", "Mc")):
        return False
    script = _script(char)
    return script not in own and script not in ("COMBINING", "VARIATION", "MODIFIER")


@lru_cache(maxsize=4096)
def _script(char: str) -> str:
    return unicodedata.name(char, "").split(" ")[0]


@lru_cache(maxsize=64)
def _scripts(language: str) -> frozenset[str]:
    """The scripts of a language's name for itself, and what is written beside them."""
    name = cldr.own_name(language)
    found = {_script(char) for char in name if char.isalpha()}
    if not found:
        return frozenset()
    for script, others in _TOGETHER.items():
        if script in found or found & set(others):
            found |= {script, *others}
    return _ALWAYS | found
