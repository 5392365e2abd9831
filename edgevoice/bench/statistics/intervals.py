"""Confidence intervals of percentiles, without assumptions about the distribution.

The number of values below the true quantile is binomial, so the quantile lies between two of the
sorted values with a known probability: J.-Y. Le Boudec, Performance Evaluation of Computer and
Communication Systems (EPFL Press 2010), chapter 2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

CONFIDENCE = 0.95


def interval(values: Sequence[float], q: float) -> tuple[float, float] | None:
    """The 95 % confidence interval of the `q` quantile (0 to 1), in the unit of `values`.

    None for too few values: the median takes 6, the 95th percentile 59.
    """
    found = ranks(len(values), q)
    if found is None:
        return None
    ordered = sorted(values)
    return ordered[found[0] - 1], ordered[found[1] - 1]


@lru_cache(maxsize=256)
def ranks(n: int, q: float) -> tuple[int, int] | None:
    """The nearest two of the ranks 1 to `n` that hold the quantile with 95 %, or None."""
    if n < 2:
        return None
    # With k values below it, the quantile lies between the ranks k and k + 1.
    low = high = min(max(math.floor((n + 1) * q), 1), n - 1)
    covered = _probability(low, n, q)
    while covered < CONFIDENCE:
        below = _probability(low - 1, n, q) if low > 1 else -1.0
        above = _probability(high + 1, n, q) if high < n - 1 else -1.0
        if max(below, above) < 0.0:
            return None
        if below >= above:
            low, covered = low - 1, covered + below
        else:
            high, covered = high + 1, covered + above
    return low, high + 1


def _probability(k: int, n: int, q: float) -> float:
    """The probability that `k` of `n` values are below the quantile."""
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways + k * math.log(q) + (n - k) * math.log1p(-q))
