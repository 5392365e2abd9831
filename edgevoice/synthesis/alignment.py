"""Two ways of writing the same thing, laid beside each other.

What a model writes, what a voice is given and the sounds it makes of that are the same words in the
same order, but not one by one: `1984` is three words when it is said, and `of the` is one sound.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgevoice.audio import Mark
from edgevoice.words import WIDE

LONGEST = 600
"""Characters beyond which a text is not laid beside another: it is a block of code, and nothing
like what is said for it."""
SPACE = 32
NEVER = 4
"""What it costs to take a space for a letter: more than to leave out both."""

_UNSPOKEN = ".,;:!?…*_`\"'“”‘’()[]"
_WORD = re.compile(rf"[{WIDE}]|[^\s{WIDE}]+")


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where the words of `text` are, punctuation included: characters [begin, end).

    Where words are written without spaces, each sign is one.
    """
    return [found.span() for found in _WORD.finditer(text)]


def reached(one: str, other: str) -> list[int]:
    """How far `other` has got at each of the len(one) + 1 places between characters of `one`.

    Found by the least number of changes that make one of the other; from 0 to len(other), and never
    falling. What `other` has in addition belongs to what is before it, if anything is.
    """
    if one == other:
        return list(range(len(one) + 1))
    if max(len(one), len(other)) > LONGEST or not one or not other:
        return [len(other) * place // max(1, len(one)) for place in range(len(one) + 1)]
    left, right = (np.array([ord(c.lower()[0]) for c in text]) for text in (one, other))
    spaces = (left[:, None] == SPACE) | (right == SPACE)
    costs = np.where(left[:, None] == right, 0, np.where(spaces, NEVER, 1))
    return _cheapest(costs)[0]


def _cheapest(costs: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    """The cheapest way through two rows of things, where costs[i, j] is what it costs to take one
    for the other, and leaving one out costs 1.

    For each place in the first row that in the second, and for each thing in the first the one it
    was taken for, or -1.
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
    """As `reached`, but whole words that are the same keep together."""
    ours, theirs = word_spans(text), word_spans(spoken)
    if not ours or not theirs:
        return reached(text, spoken)
    one, other = ([_core(t[b:e]) for b, e in w] for t, w in ((text, ours), (spoken, theirs)))
    same = [[int(not word or word != said) for said in other] for word in one]
    _, taken = _cheapest(np.array(same))
    # Between two words that are the same lies what was changed.
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
    # Whatever is between words is where the word before it ended.
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
    """Note in `places` how the words `ours` are spoken as the words `theirs`."""
    if ours and theirs:
        (begin, end), (first, last) = (ours[0][0], ours[-1][1]), (theirs[0][0], theirs[-1][1])
        for place, found in enumerate(reached(text[begin:end], spoken[first:last])):
            places[begin + place] = first + found


def written(marks: Sequence[Mark], text: str, spoken: str) -> tuple[Mark, ...]:
    """Marks of the words of `spoken` as marks of the words of `text`, which was spoken that way.

    A word of which nothing was said has none.
    """
    if text == spoken:
        return tuple(marks)
    if not marks:
        return ()
    if len(text) > LONGEST:
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
    """When the speaker is at `char`, in or around the word of `mark`."""
    share = (char - mark.begin) / max(1, mark.end - mark.begin)
    return mark.start + round(min(1.0, max(0.0, share)) * (mark.stop - mark.start))
