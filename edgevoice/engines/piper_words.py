"""Find each word of a text in a Piper voice's phonemes.

espeak-ng gives phonemes for a whole clause without word boundaries: it joins words ("of the"),
splits others ("1984"), and pronounces many differently in context. So each word is also phonemized
alone, and the results are aligned with the clause.
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

CACHED_WORDS = 4096
"""Words whose phonemes are cached."""
_STRESS = "ˈˌ"


class WordMarks:
    """Finds words in a voice's output; `phonemize` and `to_ids` are the voice's own functions."""

    def __init__(
        self,
        phonemize: Callable[[str], Sentences],
        to_ids: Callable[[list[str]], Sequence[int]],
    ) -> None:
        self._to_ids = to_ids
        self._phonemes_of = lru_cache(CACHED_WORDS)(lambda word: _flat(phonemize(word))[0])

    def marks(
        self, text: str, sentences: Sentences, number: int, ends: Sequence[int]
    ) -> tuple[Mark, ...] | None:
        """The words of `text` in sentence `number`, in samples from the start of the sentence.

        `ends` is the end of each id of the sentence in samples. None if the words are not found.
        """
        try:
            return self._found(text, sentences, number, ends)
        except Exception:  # some languages' phonemizers accept no single words
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
        for begin, end, first, last in words(text, sentences, self._phonemes_of):
            if last[0] != number:
                continue
            start = first[1] if first[0] == number else 0
            before, behind = (self._count(phonemes[:k], ids) for k in (start, last[1]))
            found.append(Mark(begin, end, ends[before - 1] if before else 0, ends[behind - 1]))
        return tuple(found)

    def _count(self, phonemes: list[str], ids: list[int]) -> int:
        """The number of ids of the first `phonemes` of a sentence, its opening id included."""
        some = self._to_ids(phonemes)
        pairs = enumerate(zip(some, ids, strict=False))
        # The ids that close a sentence belong to no word.
        return next((n for n, (one, other) in pairs if one != other), len(ids) - 1)


def words(
    text: str, sentences: Sentences, phonemes_of: Callable[[str], str]
) -> list[tuple[int, int, Place, Place]]:
    """The spoken words of `text`: start, end, first phoneme, and the phoneme after the last.

    `phonemes_of` gives the plain phonemes of a word.
    """
    spoken, places = _flat(sentences)
    spans = [(begin, end, phonemes_of(text[begin:end])) for begin, end in word_spans(text)]
    spans = [span for span in spans if span[2]]
    expected = " ".join(span[2] for span in spans)
    at = reached(expected, spoken)
    found = []
    position = 0
    for begin, end, phonemes in spans:
        first, last = at[position], at[position + len(phonemes)]
        position += len(phonemes) + 1
        while first < last and spoken[first] == " ":
            first += 1
        while first < last and spoken[last - 1] == " ":
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
    """All phonemes without stress and punctuation, one space between words, and their places."""
    plain = ""
    places: list[Place] = []
    for sentence, phonemes in enumerate(sentences):
        for number, phoneme in enumerate([*phonemes, " "]):
            for symbol in phoneme:
                if symbol.isspace():
                    if not plain or plain[-1] == " ":
                        continue
                    symbol = " "
                elif symbol in _STRESS or unicodedata.category(symbol)[0] == "P":
                    continue
                plain += symbol
                places.append((sentence, number))
    return plain.rstrip(" "), places
