"""Whether two set-ups answer the same questions differently well: McNemar's exact test.

Only the questions count that one of them got right and the other wrong. Without a difference, each
of these is the toss of a fair coin: Q. McNemar, Psychometrika 12 (1947).
"""

from __future__ import annotations


def mcnemar(gained: int, lost: int) -> float:
    """The two-sided p of `gained` questions that only the second set-up got right, and `lost` that
    only the first did."""
    from scipy.stats import binomtest

    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
