"""Word error rate."""

from __future__ import annotations

from edgevoice.words import words


def word_errors(said: str, recognized: str) -> tuple[int, int]:
    """Fewest substitutions, omissions and insertions between the two; number of words said."""
    truth, found = words(said), words(recognized)
    row = list(range(len(found) + 1))
    for i, word in enumerate(truth, 1):
        above, row[0] = row[0], i
        for j, other in enumerate(found, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (word != other))
    return row[-1], len(truth)


def rate(errors: int, said: int) -> float | None:
    """Errors as a share of the words said; None without words."""
    return errors / said if said else None
