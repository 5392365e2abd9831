"""How fast something grows: a robust slope and its confidence interval.

The slope is that of Theil and Sen, which a quarter of wild points does not move far. The interval
is widened for points that resemble their neighbours: K. H. Hamed and A. R. Rao, A modified
Mann-Kendall trend test for autocorrelated data, Journal of Hydrology 204 (1998).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edgevoice.bench.statistics.significance import Values

LEAST_POINTS = 10

NORMAL = 1.96
"""Standard deviations that hold 95 % of a normal distribution."""

JUMP = 6.0
"""Robust standard deviations from which on a step is a jump."""

Course = Literal["level", "grows", "unclear"]


@dataclass(frozen=True, slots=True)
class Slope:
    """Change in each unit of time, and its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Growth:
    """The course of a quantity, and the slope of all of it."""

    course: Course
    slope: Slope


def growth(times: Values, values: Values, least: float) -> Growth | None:
    """Whether `values` grow by `least` or more in each unit of `times`; None of too few points.

    Values that grow only at first, or jump once, do not grow.
    """
    if len(values) < LEAST_POINTS:
        return None
    level = _without_jump(values)
    slope = theil_sen(times, level)
    half = len(level) // 2
    late = theil_sen(times[half:], level[half:])
    course: Course = "unclear"
    if min(slope.high, late.high) < least:
        course = "level"
    elif min(slope.low, late.low) > 0 and min(slope.value, late.value) >= least:
        course = "grows"
    return Growth(course, slope)


def theil_sen(times: Values, values: Values) -> Slope:
    """The slope of `values` over rising `times`, of at least three points."""
    from scipy.stats import norm, theilslopes

    slope = float(theilslopes(values, times).slope)
    width = NORMAL * math.sqrt(_autocorrelation(values - slope * times))
    found = theilslopes(values, times, alpha=2 * float(norm.sf(width)))
    return Slope(slope, float(found.low_slope), float(found.high_slope))


def _autocorrelation(rest: Values) -> float:
    """The factor, 1 or more, by which autocorrelation of the residuals increases the variance."""
    n = len(rest)
    ranks = np.argsort(np.argsort(rest, kind="stable"), kind="stable") - (n - 1) / 2
    if np.ptp(rest) <= 1e-9 * np.abs(rest).max():
        return 1.0
    whole, more = float(ranks @ ranks), 0.0
    # Larger lags have too few pairs.
    for lag in range(1, n // 3 + 1):
        alike = float(ranks[lag:] @ ranks[:-lag]) / whole
        if abs(alike) > NORMAL / math.sqrt(n):
            more += (n - lag) * (n - lag - 1) * (n - lag - 2) * alike
    return max(1.0, 1.0 + 2.0 / (n * (n - 1) * (n - 2)) * more)


def _without_jump(values: Values) -> Values:
    """The values without their largest lasting step up, if it stands out."""
    # The median of three, so that a single point is no step.
    smooth = values.copy()
    smooth[1:-1] = np.median(np.stack([values[:-2], values[1:-1], values[2:]]), axis=0)
    steps = np.diff(smooth)
    usual = float(np.median(steps))
    # Of the raw values: among smoothed ones any noise would stand out.
    spread = 1.4826 * float(np.median(np.abs(np.diff(values) - usual)))
    place = int(np.argmax(steps))
    level = values.copy()
    if steps[place] - usual > JUMP * spread:
        level[place + 1 :] -= steps[place] - usual
    return level
