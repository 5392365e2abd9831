"""Whether a difference between two runs is more than chance: permutation tests, in numpy.

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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

DRAWS = 9999
SEED = 1
"""The same two files get the same verdict each time."""

WILD = 0.9
"""Beyond this share of all distances from the middle, a value counts no more than one there."""

_TAILS = (0.025, 0.975)
_CELLS = 2_000_000


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
    n = len(differences)
    # For the test around zero, where swapping leaves them as far out as they are.
    tested = _tamed(differences) if tame else differences
    centred = _around_middle(differences) if tame else differences
    reached = abs(float(tested.mean())) - _tiny(tested)
    rng = np.random.default_rng(SEED)
    extreme, means = 0, []
    for rows in _chunks(n):
        subset = rng.integers(0, 2, (rows, n)).astype(np.float64)
        sizes = subset.sum(axis=1)
        # A pair that is swapped has its difference the other way round.
        extreme += int((np.abs(tested.sum() - 2 * (subset @ tested)) / n >= reached).sum())
        means.append((subset @ centred)[sizes > 0] / sizes[sizes > 0])
    return _shift(n, float(centred.mean()), np.concatenate(means), extreme)


def unpaired(before: Values, after: Values, tame: bool = True) -> Shift:
    """The difference of two means, of samples that need not be of the same length; neither empty.

    The interval is that of the same difference in samples drawn anew from both, with repetition:
    B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    pooled = np.concatenate([before, after])
    one, other = before, after
    if tame:
        pooled = _around_middle(pooled)
        one, other = _around_middle(before), _around_middle(after)
    split = len(before)
    reached = abs(float(pooled[split:].mean() - pooled[:split].mean())) - _tiny(pooled)
    rng = np.random.default_rng(SEED)
    extreme, again = 0, []
    for rows in _chunks(len(pooled)):
        mixed = rng.permuted(np.tile(pooled, (rows, 1)), axis=1)
        apart = mixed[:, split:].mean(axis=1) - mixed[:, :split].mean(axis=1)
        extreme += int((np.abs(apart) >= reached).sum())
        again.append(_drawn(rng, other, rows) - _drawn(rng, one, rows))
    change = float(other.mean() - one.mean())
    return _shift(min(len(one), len(other)), change, np.concatenate(again), extreme)


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


def _shift(n: int, change: float, around: Values, extreme: int) -> Shift:
    low, high = (float(bound) for bound in np.quantile(around, _TAILS))
    p = (extreme + 1) / (DRAWS + 1)
    return Shift(n, change, min(low, change), max(high, change), p)


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


def _tiny(values: Values) -> float:
    """What two sums of the same values in another order may differ by."""
    return 1e-9 * float(np.abs(values).mean())


def _drawn(rng: np.random.Generator, values: Values, rows: int) -> Values:
    picked: Values = values[rng.integers(0, len(values), (rows, len(values)))].mean(axis=1)
    return picked


def _chunks(width: int) -> Iterator[int]:
    """How many draws to make at once, so that many turns do not take much memory."""
    left, most = DRAWS, max(1, _CELLS // width)
    while left > 0:
        yield min(most, left)
        left -= most
