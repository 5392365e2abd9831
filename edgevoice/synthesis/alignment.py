"""Aligns the generated text with the spoken text.

Both have the same words in the same order, but not one by one: `1984` is three spoken words, and a
voice may join `of the` in one mark.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgevoice.audio import Mark
from edgevoice.words import WIDE

MAX_ALIGNED_CHARACTERS = 600
"""Longest text that is aligned, in characters; a longer one is a code block, unlike its spoken
text."""
SPACE = 32
NEVER = 4
"""Cost of matching a space with a letter: more than skipping both."""

_UNSPOKEN = ".,;:!?…*_`\"'“”‘’()[]"
_WORD = re.compile(rf"[{WIDE}]|[^\s{WIDE}]+")


def word_spans(text: str) -> list[tuple[int, int]]:
    """Positions of the words of `text`, with punctuation: characters [begin, end).

    In languages without spaces, each sign is a word.
    """
    return [found.span() for found in _WORD.finditer(text)]


def reached(one: str, other: str) -> list[int]:
    """The position in `other` for each of the len(one) + 1 positions in `one`.

    By the least number of edits; from 0 to len(other), never decreasing. Extra characters in
    `other` belong to the position before them.
    """
    if one == other:
        return list(range(len(one) + 1))
    if max(len(one), len(other)) > MAX_ALIGNED_CHARACTERS or not one or not other:
        return [len(other) * place // max(1, len(one)) for place in range(len(one) + 1)]
    left, right = (np.array([ord(c.lower()[0]) for c in text]) for text in (one, other))
    spaces = (left[:, None] == SPACE) | (right == SPACE)
    costs = np.where(left[:, None] == right, 0, np.where(spaces, NEVER, 1))
    return _cheapest(costs)[0]


def _cheapest(costs: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    """The cheapest alignment of two sequences: costs[i, j] is the cost of a match, a skip costs 1.

    Returns the position in the second for each position in the first, and for each item of the
    first its match in the second, or -1.
    """
    rows, columns = costs.shape
    numbers = np.arange(columns + 1)
    table = np.empty((rows + 1, columns + 1), dtype=np.int64)
    table[0] = numbers
    for row, cost in enumerate(costs):
        best = table[row] + 1
        best[1:] = np.minimum(best[1:], table[row, :-1] + cost)
        table[row + 1] = np.minimum.accumulate(best - numbers) + numbers
    places, taken = [0] * (rows + 1), [-1] * rows
    row, column = rows, columns
    places[rows] = columns
    while row:
        here = table[row, column]
        if column and here == table[row - 1, column - 1] + costs[row - 1, column - 1]:
            row, column = row - 1, column - 1
            taken[row] = column
        elif column and here == table[row, column - 1] + 1:
            column -= 1
            continue
        else:
            row -= 1
        places[row] = column
    return [0, *places[1:]], taken


def _word_by_word(text: str, spoken: str) -> list[int]:
    """Like `reached`, but equal words are aligned as a whole."""
    ours, theirs = word_spans(text), word_spans(spoken)
    if not ours or not theirs:
        return reached(text, spoken)
    one, other = ([_core(t[b:e]) for b, e in w] for t, w in ((text, ours), (spoken, theirs)))
    same = [[int(not word or word != said) for said in other] for word in one]
    _, taken = _cheapest(np.array(same))
    # The text between two equal words was changed.
    anchors = [(n, m) for n, m in enumerate(taken) if m >= 0 and not same[n][m]]
    places = [0] * (len(text) + 1)
    before = (-1, -1)
    for anchor in [*anchors, (len(ours), len(theirs))]:
        _lay(
            places, text, spoken, ours[before[0] + 1 : anchor[0]], theirs[before[1] + 1 : anchor[1]]
        )
        if anchor[0] < len(ours):
            _lay(places, text, spoken, [ours[anchor[0]]], [theirs[anchor[1]]])
        before = anchor
    # Positions between words belong to the end of the word before.
    for place in range(1, len(places)):
        places[place] = max(places[place], places[place - 1])
    return [*places[:-1], len(spoken)]


def _core(word: str) -> str:
    return word.lower().strip(_UNSPOKEN)


def _lay(
    places: list[int],
    text: str,
    spoken: str,
    ours: Sequence[tuple[int, int]],
    theirs: Sequence[tuple[int, int]],
) -> None:
    """Fill `places` for the words `ours`, which are spoken as the words `theirs`."""
    if ours and theirs:
        (begin, end), (first, last) = (ours[0][0], ours[-1][1]), (theirs[0][0], theirs[-1][1])
        for place, found in enumerate(reached(text[begin:end], spoken[first:last])):
            places[begin + place] = first + found


def written(marks: Sequence[Mark], text: str, spoken: str) -> tuple[Mark, ...]:
    """Convert marks of the words of `spoken` to marks of the words of `text`.

    A word that is not spoken has no mark.
    """
    if text == spoken:
        return tuple(marks)
    if not marks:
        return ()
    if len(text) > MAX_ALIGNED_CHARACTERS:
        return (Mark(0, len(text.rstrip()), marks[0].start, marks[-1].stop),)
    places = _word_by_word(text, spoken)
    found = []
    for begin, end in word_spans(text):
        first, last = places[begin], places[end]
        said = [mark for mark in marks if mark.end > first and mark.begin < last]
        if said and first < last:
            start, stop = _time(said[0], first), _time(said[-1], last)
            found.append(Mark(begin, end, start, max(start, stop)))
    return tuple(found)


def _time(mark: Mark, char: int) -> int:
    """The sample at character `char`, in or next to the word of `mark`."""
    share = (char - mark.begin) / max(1, mark.end - mark.begin)
    return mark.start + round(min(1.0, max(0.0, share)) * (mark.stop - mark.start))
