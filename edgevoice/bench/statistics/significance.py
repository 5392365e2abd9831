"""Whether a difference between two runs is more than chance: permutation tests, by scipy.

If nothing had changed, the two values of a pair could as well be swapped, and two values of
different runs change places. So that is done many times at random, and counted how often a
difference as large as the real one comes out. This is exact for whatever distribution the values
have: R. A. Fisher, The Design of Experiments (1935), chapter 3; P. Good, Permutation, Parametric
and Bootstrap Tests of Hypotheses (Springer 2005). The real arrangement counts as one of the draws,
so that no p is zero: B. Phipson and G. K. Smyth, Permutation p-values should never be zero (2010).

A few turns in which another program was busy must neither hide a change nor make one. Values that
lie further out than nine tenths of the others are brought back to the nine tenths: for the test by
a rule that does not know which run they are of, so that it stays exact; for the size of the change
around the median, so that nothing draws it towards zero.
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
"""The same two files get the same verdict each time."""

WILD = 0.9
"""Beyond this share of all distances from the middle, a value counts no more than one there."""

_CELLS = 2_000_000
"""Values that are drawn at once, so that many turns do not take much memory."""


@dataclass(frozen=True, slots=True)
class Shift:
    """By how much the second of two samples differs, in their unit.

    `change` is a mean, `low` and `high` are its 95 % confidence interval, and `p` is the
    probability that chance alone makes a difference that large, in either direction.
    """

    n: int
    change: float
    low: float
    high: float
    p: float


def paired(before: Values, after: Values, tame: bool = True) -> Shift:
    """The mean difference of pairs, `after` less `before`; both of the same length, at least one.

    The interval is that of the means of random subsets of the differences, which holds the centre
    of any symmetric distribution: J. A. Hartigan, Using subsample values as typical values, Journal
    of the American Statistical Association 64 (1969). `tame` brings wild differences back.
    """
    differences = after - before
    # For the test around zero, where swapping leaves them as far out as they are.
    tested = _tamed(differences) if tame else differences
    centred = _around_middle(differences) if tame else differences
    n = len(differences)
    rng = np.random.default_rng(SEED)
    parts = 1 + DRAWS * n // _CELLS
    means = np.concatenate([_subset_means(rng, centred, DRAWS // parts) for _ in range(parts)])
    low, high = np.quantile(means, (0.025, 0.975))
    return _shift(n, float(centred.mean()), low, high, _chance((tested,), "samples"))


def unpaired(before: Values, after: Values, tame: bool = True) -> Shift:
    """The difference of two means, of samples that need not be of the same length; neither empty.

    The interval is that of the same difference in samples drawn anew from both, with repetition:
    B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    from scipy.stats import bootstrap

    pooled = np.concatenate([before, after])
    one, other = before, after
    if tame:
        pooled = _around_middle(pooled)
        one, other = _around_middle(before), _around_middle(after)
    split, n = len(before), min(len(before), len(after))
    change = float(other.mean() - one.mean())
    if n < 2:
        return _shift(n, change, change, change, 1.0)
    again = bootstrap(
        (one, other),
        lambda a, b, axis: b.mean(axis) - a.mean(axis),
        n_resamples=DRAWS,
        batch=max(1, _CELLS // len(pooled)),
        method="percentile",
        rng=SEED,
    ).confidence_interval
    p = _chance((pooled[:split], pooled[split:]), "independent")
    return _shift(n, change, again.low, again.high, p)


def holm(chances: Sequence[float]) -> list[float]:
    """The same p, raised so that among all of them one false alarm is as rare as for one alone.

    S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of
    Statistics 6 (1979). It holds however the tests depend on each other.
    """
    raised, so_far = [0.0] * len(chances), 0.0
    for place, index in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        so_far = max(so_far, min(1.0, chances[index] * (len(chances) - place)))
        raised[index] = so_far
    return raised


def _chance(samples: tuple[Values, ...], swapped: Literal["samples", "independent"]) -> float:
    """How often chance makes means, or a mean of differences, as far apart as they are."""
    from scipy.stats import permutation_test

    if min(map(len, samples)) < 2:
        return 1.0
    found = permutation_test(
        samples,
        lambda *drawn, axis: abs(drawn[-1].mean(axis) - (drawn[0].mean(axis) if drawn[1:] else 0)),
        permutation_type=swapped,
        vectorized=True,
        n_resamples=DRAWS,
        batch=max(1, _CELLS // sum(map(len, samples))),
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


def _tamed(distances: Values) -> Values:
    """Distances from the middle, none beyond that of nine tenths of those that are not zero."""
    size = np.abs(distances)
    there = size[size > 0]
    if not len(there):
        return distances
    limit = float(np.quantile(there, WILD))
    return np.clip(distances, -limit, limit)


def _around_middle(values: Values) -> Values:
    """The values, none further from their median than nine tenths of those that differ from it."""
    middle = float(np.median(values))
    return _tamed(values - middle) + middle
