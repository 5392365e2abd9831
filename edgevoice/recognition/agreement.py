"""What two successive readings of growing speech agree on, word by word from the beginning.

A recognizer that hears a sentence grow keeps changing its mind about the last words, seldom about
the earlier ones. Words read twice in the same place are taken for agreed: "LocalAgreement-2" of
Liu, Spanakis and Niehues (Interspeech 2020), which Whisper-Streaming made known.
"""

from __future__ import annotations

import re

from edgevoice.words import plain

_WORD = re.compile(r"\S+")


class Agreement:
    """Follows the readings of one utterance."""

    def __init__(self) -> None:
        self._words: list[str] = []

    def add(self, text: str) -> str:
        """Take the newest reading; returns its beginning on which the one before agrees.

        Case and punctuation do not count. The beginning ends with a whole word, and without the
        punctuation after it, which the next word may still change.
        """
        found = list(_WORD.finditer(text))
        words = [plain(match[0]) for match in found]
        same = 0
        while same < min(len(words), len(self._words)) and words[same] == self._words[same]:
            same += 1
        self._words = words
        return _open_ended(text[: found[same - 1].end()]) if same else ""


def without_last_word(text: str) -> str:
    """`text` up to its last word, which may have been cut in the middle."""
    found = list(_WORD.finditer(text))
    return _open_ended(text[: found[-2].end()]) if len(found) > 1 else ""


def same_words(one: str, other: str) -> bool:
    """Whether two readings have the same words, whatever their case and punctuation."""
    return [*map(plain, one.split())] == [*map(plain, other.split())]


def respelled(text: str, like: str) -> str:
    """`text`, with the words it has in common with the beginning `like` written as they are there.

    A recognizer changes case and commas from one reading to the next, which means nothing.
    """
    words, known = text.split(), like.split()
    same = 0
    while same < min(len(words), len(known)) and plain(words[same]) == plain(known[same]):
        same += 1
    if not same:
        return text
    kept = known[:same]
    if same == len(words):
        # The last word keeps the mark behind it: now it is known to end the sentence.
        kept[-1] = _open_ended(kept[-1]) + words[-1][len(_open_ended(words[-1])) :]
    return " ".join([*kept, *words[same:]])


def _open_ended(text: str) -> str:
    return text.rstrip(".,;:!?…-–—。，、？！ ")
