"""Where in a Piper voice's phonemes each word of the text is.

espeak-ng gives phonemes for a whole clause and does not tell of which words: it joins some ("of
the"), makes several of others ("1984"), and says many otherwise than it would alone. So each word
is asked for alone, too, and what comes of that is laid beside the phonemes of the clause.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

from edgevoice.audio import Mark
from edgevoice.synthesis.alignment import reached, word_spans

_log = logging.getLogger(__name__)

Sentences = Sequence[Sequence[str]]
"""Phonemes of each sentence of a text, spaces between words and punctuation included."""
Place = tuple[int, int]
"""Number of a sentence, and of a phoneme in it."""

KNOWN = 4096
"""Words whose phonemes are remembered."""
_STRESS = "ˈˌ"


class WordMarks:
    """Finds words in what a voice says; `phonemize` and `to_ids` are the voice's own."""

    def __init__(
        self,
        phonemize: Callable[[str], Sentences],
        to_ids: Callable[[list[str]], Sequence[int]],
    ) -> None:
        self._to_ids = to_ids
        self._alone = lru_cache(KNOWN)(lambda word: _flat(phonemize(word))[0])

    def marks(
        self, text: str, sentences: Sentences, number: int, ends: Sequence[int]
    ) -> tuple[Mark, ...] | None:
        """The words of `text` that are said in sentence `number`, counted from its first sample.

        `ends` is where each of its ids ends, in samples. None where the words are not found.
        """
        try:
            return self._found(text, sentences, number, ends)
        except Exception:  # a phonemizer of another language that takes no single words
            _log.debug("the words of %d characters were not found", len(text), exc_info=True)
            return None

    def _found(
        self, text: str, sentences: Sentences, number: int, ends: Sequence[int]
    ) -> tuple[Mark, ...] | None:
        phonemes = list(sentences[number])
        ids = list(self._to_ids(phonemes))
        if len(ids) != len(ends):
            return None
        found = []
        for begin, end, first, last in words(text, sentences, self._alone):
            if last[0] != number:
                continue
            start = first[1] if first[0] == number else 0
            before, behind = (self._count(phonemes[:k], ids) for k in (start, last[1]))
            found.append(Mark(begin, end, ends[before - 1] if before else 0, ends[behind - 1]))
        return tuple(found)

    def _count(self, phonemes: list[str], ids: list[int]) -> int:
        """How many ids of a sentence those of its first `phonemes` are, what opens it included."""
        some = self._to_ids(phonemes)
        pairs = enumerate(zip(some, ids, strict=False))
        # What closes a sentence belongs to none of its words.
        return next((n for n, (one, other) in pairs if one != other), len(ids) - 1)


def words(
    text: str, sentences: Sentences, alone: Callable[[str], str]
) -> list[tuple[int, int, Place, Place]]:
    """The words of `text` that are heard: where they are, their first phoneme, and the one after
    their last. `alone` gives the plain phonemes of a word."""
    said, places = _flat(sentences)
    spans = [(begin, end, alone(text[begin:end])) for begin, end in word_spans(text)]
    spans = [span for span in spans if span[2]]
    expected = " ".join(span[2] for span in spans)
    at = reached(expected, said)
    found = []
    position = 0
    for begin, end, phonemes in spans:
        first, last = at[position], at[position + len(phonemes)]
        position += len(phonemes) + 1
        while first < last and said[first] == " ":
            first += 1
        while first < last and said[last - 1] == " ":
            last -= 1
        if first == last:
            continue
        sentence, behind = places[last - 1]
        found.append((begin, end, _with_stress(sentences, places[first]), (sentence, behind + 1)))
    return found


def _with_stress(sentences: Sentences, place: Place) -> Place:
    sentence, phoneme = place
    while phoneme and sentences[sentence][phoneme - 1] in _STRESS:
        phoneme -= 1
    return sentence, phoneme


def _flat(sentences: Sentences) -> tuple[str, list[Place]]:
    """All phonemes in a row without stress and punctuation, one space between words, and where
    each of them is."""
    plain = ""
    places: list[Place] = []
    for sentence, phonemes in enumerate(sentences):
        for number, phoneme in enumerate([*phonemes, " "]):
            for sign in phoneme:
                if sign.isspace():
                    if not plain or plain[-1] == " ":
                        continue
                    sign = " "
                elif sign in _STRESS or unicodedata.category(sign)[0] == "P":
                    continue
                plain += sign
                places.append((sentence, number))
    return plain.rstrip(" "), places
