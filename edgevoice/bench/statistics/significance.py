"""Whether two runs differ by more than chance: permutation tests by scipy.

Permutation tests are exact for any distribution (P. Good, Permutation, Parametric and Bootstrap
Tests of Hypotheses, Springer 2005). Outliers are limited to the 90 % range, so that a few turns in
which another program was busy neither hide a change nor cause one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

DRAWS = 9999
SEED = 1
"""Fixed, so that the same two files get the same verdict each time."""

RANGE = 0.9
"""Share of all distances from the median beyond which values are limited."""

_BATCH = 2_000_000
"""Values drawn at once, which bounds the memory."""


@dataclass(frozen=True, slots=True)
class Shift:
    """The difference of two samples, in their unit.

    `change` is the mean difference, `low` and `high` its 95 % confidence interval, and `p` the
    probability of such a difference by chance, in either direction.
    """

    n: int
    change: float
    low: float
    high: float
    p: float


def paired(before: Values, after: Values, limited: bool = True) -> Shift:
    """The mean difference of pairs, `after` minus `before`, of at least one pair.

    The interval is that of the means of random subsets: J. A. Hartigan, Using subsample values as
    typical values, Journal of the American Statistical Association 64 (1969).
    """
    differences = after - before
    # Around zero for the test, where swapping a pair does not change the limit.
    tested = _limited(differences) if limited else differences
    centred = _around_median(differences) if limited else differences
    rng = np.random.default_rng(SEED)
    parts = 1 + DRAWS * len(centred) // _BATCH
    means = np.concatenate([_subset_means(rng, centred, DRAWS // parts) for _ in range(parts)])
    low, high = np.quantile(means, (0.025, 0.975))
    return _shift(len(centred), float(centred.mean()), low, high, _p((tested,), "samples"))


def unpaired(before: Values, after: Values, limited: bool = True) -> Shift:
    """The difference of the means of two samples, with a bootstrap interval."""
    from scipy.stats import bootstrap

    pooled = np.concatenate([before, after])
    one, other = before, after
    if limited:
        pooled, one, other = map(_around_median, (pooled, before, after))
    n = min(len(before), len(after))
    change = float(other.mean() - one.mean())
    if n < 2:
        return _shift(n, change, change, change, 1.0)
    found = bootstrap(
        (one, other),
        lambda a, b, axis: b.mean(axis) - a.mean(axis),
        n_resamples=DRAWS,
        batch=max(1, _BATCH // len(pooled)),
        method="percentile",
        rng=SEED,
    ).confidence_interval
    p = _p((pooled[: len(before)], pooled[len(before) :]), "independent")
    return _shift(n, change, found.low, found.high, p)


def holm(values: Sequence[float]) -> list[float]:
    """p values corrected for their number, by the method of S. Holm (1979)."""
    corrected, highest = [0.0] * len(values), 0.0
    for place, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        highest = max(highest, min(1.0, values[index] * (len(values) - place)))
        corrected[index] = highest
    return corrected


def _p(samples: tuple[Values, ...], kind: Literal["samples", "independent"]) -> float:
    """The p value of the mean of one sample of differences, or of two samples' difference."""
    from scipy.stats import permutation_test

    if min(map(len, samples)) < 2:
        return 1.0
    found = permutation_test(
        samples,
        lambda *drawn, axis: abs(drawn[-1].mean(axis) - (drawn[0].mean(axis) if drawn[1:] else 0)),
        permutation_type=kind,
        vectorized=True,
        n_resamples=DRAWS,
        batch=max(1, _BATCH // sum(map(len, samples))),
        alternative="greater",
        rng=SEED,
    )
    return float(found.pvalue)


def _shift(n: int, change: float, low: float, high: float, p: float) -> Shift:
    return Shift(n, change, min(float(low), change), max(float(high), change), p)


def _subset_means(rng: np.random.Generator, values: Values, rows: int) -> Values:
    subset = rng.integers(0, 2, (rows, len(values))).astype(np.float64)
    sizes = subset.sum(axis=1)
    means: Values = (subset @ values)[sizes > 0] / sizes[sizes > 0]
    return means


def _limited(distances: Values) -> Values:
    """Distances, none larger than the 90 % quantile of those that are not zero."""
    sizes = np.abs(distances)
    limit = np.quantile(sizes[sizes > 0], RANGE) if sizes.any() else 0.0
    return np.clip(distances, -limit, limit)


def _around_median(values: Values) -> Values:
    median = float(np.median(values))
    return _limited(values - median) + median
