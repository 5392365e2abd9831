"""How far a percentile of a few turns may be from that of very many: an interval without a model.

Nothing is assumed of how the values are distributed, only that the turns are independent of each
other. Whether a value lies below the true quantile is then the toss of a coin with a known bias,
so the number of values below it is binomial, and the quantile lies between two of the values, by
their rank, with a probability that can be computed: J.-Y. Le Boudec, Performance Evaluation of
Computer and Communication Systems (EPFL Press 2010), chapter 2; H. A. David and H. N. Nagaraja,
Order Statistics (Wiley 2003), section 7.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

CONFIDENCE = 0.95
"""The probability with which an interval holds the true value, at least."""


def interval(values: Sequence[float], q: float) -> tuple[float, float] | None:
    """Where the true `q` quantile (0 to 1) lies with 95 % confidence, in the unit of `values`.

    None where so few values cannot tell: p50 takes 6 of them, p95 takes 59.
    """
    found = ranks(len(values), q)
    if found is None:
        return None
    ordered = sorted(values)
    return ordered[found[0] - 1], ordered[found[1] - 1]


@lru_cache(maxsize=256)
def ranks(n: int, q: float) -> tuple[int, int] | None:
    """The ranks, from 1, of the two of `n` values between which the `q` quantile lies.

    The two are as near to each other as 95 % confidence allows; None where the lowest and the
    highest are not far enough apart.
    """
    if n < 2 or not 0.0 < q < 1.0:
        return None
    # With k values below it, the quantile is between the ranks k and k + 1: both must be there.
    least, most = 1, n - 1
    low = high = min(max(math.floor((n + 1) * q), least), most)
    covered = _chance(low, n, q)
    while covered < CONFIDENCE:
        below = _chance(low - 1, n, q) if low > least else -1.0
        above = _chance(high + 1, n, q) if high < most else -1.0
        if below < 0.0 and above < 0.0:
            return None
        if below >= above:
            low, covered = low - 1, covered + below
        else:
            high, covered = high + 1, covered + above
    return low, high + 1


def _chance(k: int, n: int, q: float) -> float:
    """The probability that `k` of `n` values are below the quantile."""
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways + k * math.log(q) + (n - k) * math.log1p(-q))
