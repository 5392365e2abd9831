"""How fast something grows: a robust slope and its confidence interval, in numpy.

The slope is the median of the slopes between all pairs of points, and two of these slopes, chosen
by their rank, are the ends of its interval: H. Theil (1950); P. K. Sen, Estimates of the regression
coefficient based on Kendall's tau, Journal of the American Statistical Association 63 (1968).
Almost a third of the points may be anything at all without moving it far. Points that follow each
other are alike, and tell less than as many independent ones; the interval is widened for that as
by K. H. Hamed and A. R. Rao, A modified Mann-Kendall trend test for autocorrelated data, Journal
of Hydrology 204 (1998).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edgevoice.bench.statistics.significance import Values

LEAST_POINTS = 10
"""Fewer points tell nothing; half of them are looked at by themselves."""

NORMAL = 1.96
"""Standard deviations within which 95 % of a normal distribution lie."""

STANDS_OUT = 6.0
"""Robust standard deviations beyond which a step between two points is a jump."""

Course = Literal["level", "grows", "unclear"]


@dataclass(frozen=True, slots=True)
class Slope:
    """By how much something changes in each unit of time, and its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Growth:
    """How something went on: `slope` of all of it, `late` of its second half."""

    course: Course
    slope: Slope
    late: Slope


def growth(times: Values, values: Values, least: float) -> Growth | None:
    """Whether `values` grow by `least` or more in each unit of `times`; None of too few points.

    What grows only at first, or jumps once and then stays, does not grow.
    """
    if len(values) < LEAST_POINTS:
        return None
    level = _without_jump(values)
    slope = theil_sen(times, level)
    half = len(level) // 2
    late = theil_sen(times[half:], level[half:])
    course: Course = "unclear"
    if slope.high < least or late.high < least:
        course = "level"
    elif slope.low > 0 and late.low > 0 and min(slope.value, late.value) >= least:
        course = "grows"
    return Growth(course, slope, late)


def theil_sen(times: Values, values: Values) -> Slope:
    """The slope of `values` over `times`, which rise; at least three of each."""
    n = len(values)
    one, other = np.triu_indices(n, 1)
    slopes = np.sort((values[other] - values[one]) / (times[other] - times[one]))
    middle = float(np.median(slopes))
    spread = math.sqrt(n * (n - 1) * (2 * n + 5) / 18 * _alike(values - middle * times))
    reach = NORMAL * spread
    low = max(0, math.floor((len(slopes) - reach) / 2))
    high = min(len(slopes) - 1, math.ceil((len(slopes) + reach) / 2))
    return Slope(middle, float(slopes[low]), float(slopes[high]))


def _alike(rest: Values) -> float:
    """By how much the variance grows, for how alike points are that follow each other; 1 or more.

    `rest` is what the slope leaves over.
    """
    n = len(rest)
    ranks = np.argsort(np.argsort(rest, kind="stable"), kind="stable").astype(np.float64)
    ranks -= ranks.mean()
    whole = float(ranks @ ranks)
    if whole == 0.0 or float(np.ptp(rest)) <= 1e-9 * float(np.abs(rest).max()):
        return 1.0
    more = 0.0
    # Far apart there are too few pairs to tell.
    for lag in range(1, n // 3 + 1):
        alike = float(ranks[lag:] @ ranks[:-lag]) / whole
        if abs(alike) > NORMAL / math.sqrt(n):
            more += (n - lag) * (n - lag - 1) * (n - lag - 2) * alike
    return max(1.0, 1.0 + 2.0 / (n * (n - 1) * (n - 2)) * more)


def _without_jump(values: Values) -> Values:
    """The values, less the largest step up that lasts, if it stands out from the others."""
    # Smoothed by one, so that a single point is no step.
    smooth = values.copy()
    smooth[1:-1] = np.median(np.stack([values[:-2], values[1:-1], values[2:]]), axis=0)
    steps = np.diff(smooth)
    usual = float(np.median(steps))
    # Of what was not smoothed: otherwise any noise would stand out from what is left of it.
    spread = 1.4826 * float(np.median(np.abs(np.diff(values) - usual)))
    place = int(np.argmax(steps))
    level = values.copy()
    if steps[place] - usual > STANDS_OUT * spread:
        level[place + 1 :] -= steps[place] - usual
    return level
