"""A slope is found behind noise, as surely as its interval says, and a jump is none."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from edgevoice.bench.statistics.slopes import LEAST_POINTS, growth, theil_sen

TIMES = np.arange(30) / 60


def test_a_straight_line_has_its_own_slope() -> None:
    """And an interval of no width; what does not change has none either."""
    found = theil_sen(TIMES, 5.0 + 12.0 * TIMES)
    assert (found.value, found.low, found.high) == pytest.approx((12.0, 12.0, 12.0))
    assert theil_sen(TIMES, np.full(30, 7.0)).high == 0.0


def test_a_quarter_of_wild_points_hides_no_slope_and_makes_none() -> None:
    """Seven of thirty points that are anything at all."""
    rng = np.random.default_rng(2)
    for slope in (0.0, 40.0):
        values = slope * TIMES + rng.normal(0.0, 0.2, 30)
        values[3::4] += rng.uniform(0.0, 500.0, 7)
        found = theil_sen(TIMES, values)
        assert found.low <= slope <= found.high
        assert found.value == pytest.approx(slope, abs=3.0)


@pytest.mark.parametrize(("alike", "share"), [(0.0, 0.05), (0.5, 0.2)])
def test_intervals_hold_the_slope(alike: float, share: float, trials: Callable[[int], int]) -> None:
    """In nineteen of twenty samples of independent noise; of noise in which each point is half of
    the one before it, in four of five at least, which without widening would be far fewer."""
    rng = np.random.default_rng(4)
    missed = 0
    count = trials(300)
    for _ in range(count):
        noise = rng.normal(0.0, 1.0, 60)
        for i in range(1, 60):
            noise[i] += alike * noise[i - 1]
        found = theil_sen(TIMES, 10.0 * TIMES + noise[30:])
        missed += not found.low <= 10.0 <= found.high
    assert missed <= count * share + 3 * math.sqrt(count * share * (1 - share))


def test_points_that_are_alike_tell_less() -> None:
    """The same noise in an order in which neighbours are alike has a wider interval."""
    noise = np.random.default_rng(6).normal(0.0, 1.0, 40)
    times = np.arange(40.0)
    waves = np.sin(times / 3) + 0.1 * noise
    shuffled = np.random.default_rng(7).permutation(waves)
    one, other = theil_sen(times, waves), theil_sen(times, shuffled)
    assert one.high - one.low > other.high - other.low


def test_what_goes_on_growing_grows_and_what_stays_is_level() -> None:
    """With noise on both, against five an hour that matter."""
    noise = np.random.default_rng(8).normal(0.0, 0.3, 30)
    found = growth(TIMES, 20.0 * TIMES + noise, 5.0)
    assert found is not None
    assert found.course == "grows"
    found = growth(TIMES, noise, 5.0)
    assert found is not None
    assert found.course == "level"


def test_a_jump_is_no_growth_and_two_flights_of_stairs_are() -> None:
    """What jumps once stays where it is; what jumps every few minutes goes on."""
    noise = np.random.default_rng(9).normal(0.0, 0.3, 30)
    jump = growth(TIMES, noise + 50.0 * (np.arange(30) > 17), 5.0)
    assert jump is not None
    assert jump.course == "level"
    stairs = growth(TIMES, noise + 5.0 * (np.arange(30) // 4), 5.0)
    assert stairs is not None
    assert stairs.course == "grows"


def test_what_grows_less_and_less_is_level_in_the_end() -> None:
    """Memory that fills its pools after the start is no leak."""
    noise = np.random.default_rng(10).normal(0.0, 0.2, 30)
    found = growth(TIMES, 40.0 * (1 - np.exp(-TIMES * 20)) + noise, 5.0)
    assert found is not None
    assert found.course == "level"


def test_wide_noise_is_unclear_and_a_few_points_are_nothing(
    trials: Callable[[int], int],
) -> None:
    """Without enough data there is no verdict, at least nineteen times in twenty."""
    rng = np.random.default_rng(11)
    count = trials(300)
    noise = [rng.normal(0.0, 60.0, 30) for _ in range(count)]
    courses = [found.course for values in noise if (found := growth(TIMES, values, 5.0))]
    share = 0.05
    sure = count * share + 3 * math.sqrt(count * share * (1 - share))
    assert count - courses.count("unclear") <= sure
    assert growth(TIMES[: LEAST_POINTS - 1], noise[0][: LEAST_POINTS - 1], 5.0) is None
