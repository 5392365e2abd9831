"""Whether two runs differ by more than chance: permutation tests by scipy.

Permutation tests are exact for any distribution (P. Good, Permutation, Parametric and Bootstrap
Tests of Hypotheses, Springer 2005). Outliers are limited to the 90 % range, so that a few turns in
which another program was busy neither hide a change nor cause one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
    """The mean difference of pairs, `after` minus `before`, with a bootstrap interval."""
    differences = after - before
    if not limited:
        return _shift((differences,), (differences,))
    # Around zero for the test, where swapping a pair does not change the limit.
    return _shift((_around_median(differences),), (_limited(differences),))


def unpaired(before: Values, after: Values, limited: bool = True) -> Shift:
    """The difference of the means of two samples, with a bootstrap interval."""
    if not limited:
        return _shift((before, after), (before, after))
    pooled = _around_median(np.concatenate([before, after]))
    tested = pooled[: len(before)], pooled[len(before) :]
    return _shift((_around_median(before), _around_median(after)), tested)


def holm(values: Sequence[float]) -> list[float]:
    """p values corrected for their number, by the method of S. Holm (1979)."""
    corrected, highest = [0.0] * len(values), 0.0
    for place, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        highest = max(highest, min(1.0, values[index] * (len(values) - place)))
        corrected[index] = highest
    return corrected


def _difference(*samples: Values, axis: int = -1) -> Values:
    """The mean of differences, or the difference of two means."""
    first = samples[0].mean(axis) if samples[1:] else 0.0
    return np.asarray(samples[-1].mean(axis) - first)


def _shift(samples: tuple[Values, ...], tested: tuple[Values, ...]) -> Shift:
    """The shift of one sample of differences, or of two samples; p is that of the `tested` ones."""
    from scipy.stats import bootstrap, permutation_test

    n, change = min(map(len, samples)), float(_difference(*samples))
    if n < 2:
        return Shift(n, change, change, change, 1.0)
    drawing: dict[str, Any] = {
        "n_resamples": DRAWS,
        "batch": max(1, _BATCH // sum(map(len, samples))),
        "rng": SEED,
    }
    ends = bootstrap(samples, _difference, method="percentile", **drawing).confidence_interval
    p = permutation_test(
        tested,
        lambda *drawn, axis: abs(_difference(*drawn, axis=axis)),
        permutation_type="independent" if tested[1:] else "samples",
        vectorized=True,
        alternative="greater",
        **drawing,
    ).pvalue
    return Shift(n, change, min(float(ends.low), change), max(float(ends.high), change), float(p))


def _limited(distances: Values) -> Values:
    """Distances, none larger than the 90 % quantile of those that are not zero."""
    sizes = np.abs(distances)
    limit = np.quantile(sizes[sizes > 0], RANGE) if sizes.any() else 0.0
    return np.clip(distances, -limit, limit)


def _around_median(values: Values) -> Values:
    median = float(np.median(values))
    return _limited(values - median) + median
