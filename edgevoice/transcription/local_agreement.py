"""The common beginning of two successive interim transcripts.

While a sentence grows, a recognizer changes the last words often, and earlier words seldom. Words
that are in the same place twice are agreed: "LocalAgreement-2" of Liu, Spanakis and Niehues
(Interspeech 2020), known from Whisper-Streaming.
"""

from __future__ import annotations

import re
from itertools import takewhile

from edgevoice.words import apart, plain


class LocalAgreement:
    """Follows the interim transcripts of one utterance."""

    def __init__(self) -> None:
        self._words: list[str] = []

    def add(self, text: str) -> str:
        """Take the newest transcript; returns the beginning that agrees with the one before.

        Case and punctuation are ignored. The beginning ends with a whole word, without the
        punctuation after it, which the next word may still change.
        """
        found = apart(text)
        words = _plain(found)
        same = _same(words, self._words)
        self._words = words
        return _open_ended(text[: found[same - 1].end()]) if same else ""


def without_last_word(text: str) -> str:
    """`text` up to its last word, which may have been cut in the middle."""
    found = apart(text)
    return _open_ended(text[: found[-2].end()]) if len(found) > 1 else ""


def respelled(text: str, like: str) -> str:
    """`text`, with the words that it shares with the beginning `like` spelled as in `like`.

    A recognizer changes case and commas between transcripts, without any meaning.
    """
    words, known = apart(text), apart(like)
    same = _same(_plain(words), _plain(known))
    if not same:
        return text
    kept, rest = like[: known[same - 1].end()], text[words[same - 1].end() :]
    if same == len(words):
        # The last word keeps its punctuation, which is known now.
        kept = _open_ended(kept) + text[len(_open_ended(text)) :]
    return kept + rest


def _plain(found: list[re.Match[str]]) -> list[str]:
    return [plain(word[0]) for word in found]


def _same(one: list[str], other: list[str]) -> int:
    """Number of equal words from the beginning."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _open_ended(text: str) -> str:
    return text.rstrip(".,;:!?…-–—。，、？！ ")
