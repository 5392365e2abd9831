"""Words that the user wants pronounced in another way than the voice does by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping


class Lexicon:
    """Replaces whole words in text for a voice, whatever their case.

    What is said for a word is a respelling ("shivawn"), or phonemes in IPA between slashes
    ("/ʃɪvˈɔːn/"), which become "[[ʃɪvˈɔːn]]", as Piper takes them.
    """

    def __init__(self, words: Mapping[str, str]) -> None:
        self._said = {word.lower(): _notation(said) for word, said in words.items() if word.strip()}
        either = "|".join(map(re.escape, sorted(self._said, key=len, reverse=True)))
        self._pattern = re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.I) if either else None

    def applied(self, text: str) -> str:
        """`text` with the words of the lexicon as they are to be said."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda found: self._said[found[0].lower()], text)


def _notation(said: str) -> str:
    said = said.strip()
    if len(said) > 2 and said[0] == said[-1] == "/":
        return f"[[{said[1:-1].strip()}]]"
    return re.sub(r"[\[\]]", "", said)
