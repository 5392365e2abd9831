"""Word error rate: how far what was recognized is from what was said."""

from __future__ import annotations

from edgevoice.words import words


def word_errors(said: str, recognized: str) -> tuple[int, int]:
    """Fewest words substituted, left out and put in to make one of the other; words said."""
    truth, found = words(said), words(recognized)
    row = list(range(len(found) + 1))
    for i, word in enumerate(truth, 1):
        above, row[0] = row[0], i
        for j, other in enumerate(found, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (word != other))
    return row[-1], len(truth)


def rate(errors: int, said: int) -> float | None:
    """Errors as a share of the words said; None where nothing is known to have been said."""
    return errors / said if said else None
