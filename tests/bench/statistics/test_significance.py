"""The tests are right as often as they say: no more false alarms, and intervals that hold."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice.bench.statistics import significance
from edgevoice.bench.statistics.intervals import interval, ranks
from edgevoice.timings import percentile

Trials = Callable[[int], int]


@pytest.fixture
def fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough draws for a test of many trials."""
    monkeypatch.setattr(significance, "DRAWS", 499)


def at_most(share: float, trials: int) -> float:
    """How many of the trials may fail where `share` of them do, but for three standard errors."""
    return trials * share + 3 * math.sqrt(trials * share * (1 - share))


@pytest.mark.parametrize(
    ("n", "q", "found"),
    [
        # As in the tables of Le Boudec, appendix A.
        *((5, 0.5, None), (6, 0.5, (1, 6)), (8, 0.5, (1, 7)), (10, 0.5, (2, 9))),
        *((58, 0.95, None), (40, 0.95, None), (0, 0.5, None), (1, 0.5, None)),
    ],
)
def test_ranks_are_those_of_the_tables(n: int, q: float, found: tuple[int, int] | None) -> None:
    """And where too few values cannot tell, there is no interval rather than a wrong one."""
    assert ranks(n, q) == found


@given(st.integers(6, 3000), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_ranks_cover_what_they_promise(n: int, q: float) -> None:
    """Summed up anew, the binomial has at least 95 % between the two; they are never outside."""
    found = ranks(n, q)
    if found is None:
        assert 1 - q**n - (1 - q) ** n < 0.95
        return
    low, high = found
    assert 1 <= low < high <= n
    log = [math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in range(n + 1)]
    share = sum(
        math.exp(log[k] + k * math.log(q) + (n - k) * math.log1p(-q)) for k in range(low, high)
    )
    assert share >= 0.95 - 1e-9


@given(st.lists(st.floats(0.0, 100.0), min_size=6, max_size=200), st.sampled_from([0.5, 0.95]))
def test_the_percentile_lies_in_its_interval(values: list[float], q: float) -> None:
    """Whatever the values, also where they are all the same."""
    found = interval(values, q)
    middle = percentile(values, q)
    assert middle is not None
    if found is not None:
        assert min(values) <= found[0] <= middle + 1e-9
        assert middle - 1e-9 <= found[1] <= max(values)


def test_intervals_hold_the_true_percentile_as_often_as_they_say(trials: Trials) -> None:
    """Of a skewed distribution with a known median and 95th percentile."""
    rng = np.random.default_rng(3)
    missed = {0.5: 0, 0.95: 0}
    count = trials(300)
    for _ in range(count):
        values = rng.exponential(1.0, 80).tolist()
        for q in missed:
            found = interval(values, q)
            assert found is not None
            missed[q] += not found[0] <= -math.log(1 - q) <= found[1]
    assert max(missed.values()) <= at_most(0.05, count)


@pytest.mark.parametrize("skewed", [False, True])
def test_chance_alone_seldom_looks_like_a_change(
    fewer_draws: None, skewed: bool, trials: Trials
) -> None:
    """p is below 0.05 in about one of twenty pairs of samples of the same distribution."""
    rng = np.random.default_rng(5)
    alarms = {"paired": 0, "unpaired": 0}
    count = trials(300)
    for _ in range(count):
        draw = rng.standard_cauchy if skewed else rng.standard_normal
        one, other = draw(30), draw(30)
        alarms["paired"] += significance.paired(one, other).p < 0.05
        alarms["unpaired"] += significance.unpaired(one, other).p < 0.05
    assert max(alarms.values()) <= at_most(0.05, count)
    # One that never calls would be no test.
    assert min(alarms.values()) > 0


@pytest.mark.parametrize("tame", [False, True])
def test_intervals_of_a_change_hold_it(fewer_draws: None, tame: bool, trials: Trials) -> None:
    """A true shift lies within the 95 % interval in about nineteen of twenty samples, and bringing
    wild values back does not draw it towards zero."""
    rng = np.random.default_rng(7)
    hard = rng.lognormal(0.0, 0.4, 40)
    missed = {"paired": 0, "unpaired": 0}
    means = {"paired": 0.0, "unpaired": 0.0}
    count = trials(300)
    for _ in range(count):
        one = 0.5 + 0.1 * hard * rng.normal(0.0, 1.0, 40)
        other = 0.8 + 0.1 * hard * rng.normal(0.0, 1.0, 40)
        for name, test in (("paired", significance.paired), ("unpaired", significance.unpaired)):
            found = test(one, other, tame)
            assert found.low <= found.change <= found.high
            missed[name] += not found.low <= 0.3 <= found.high
            means[name] += found.change / count
    assert max(missed.values()) <= at_most(0.06, count)
    # Six standard errors of the mean of so many trials.
    near = pytest.approx(0.3, abs=0.085 / math.sqrt(count))
    assert means == {"paired": near, "unpaired": near}


def test_a_shift_of_every_turn_is_found_behind_a_few_wild_ones() -> None:
    """Two turns of forty in which something else ran hide no change, and make none."""
    rng = np.random.default_rng(9)
    before = rng.normal(1.0, 0.05, 40)
    after = before + rng.normal(0.1, 0.05, 40)
    before[:2] += 5.0
    found = significance.paired(before, after)
    assert found.p < 0.001
    assert found.change == pytest.approx(0.1, abs=0.05)
    wild = np.zeros(40)
    wild[:2] = 5.0
    assert significance.paired(np.zeros(40), wild).p > 0.2


def test_the_same_samples_get_the_same_verdict() -> None:
    """Draws are seeded, and both ways round it is the same change with the other sign."""
    rng = np.random.default_rng(11)
    one, other = rng.random(20), rng.random(20)
    for test in (significance.paired, significance.unpaired):
        assert test(one, other) == test(one, other)
        assert test(one, other).change == pytest.approx(-test(other, one).change)


def test_no_p_is_zero() -> None:
    """The real arrangement is one of those that are counted."""
    found = significance.paired(np.zeros(50), np.ones(50))
    assert 0 < found.p <= 2 / (significance.DRAWS + 1)
    assert (found.low, found.change, found.high) == (1.0, 1.0, 1.0)


@given(st.lists(st.floats(0.0001, 1.0), max_size=12))
def test_holm_raises_every_p_and_keeps_their_order(chances: list[float]) -> None:
    """The least one counts as often as there are tests, none is lowered or above 1."""
    raised = significance.holm(chances)
    assert all(p <= r <= 1.0 for p, r in zip(chances, raised, strict=True))
    pairs = sorted(zip(chances, raised, strict=True))
    assert [r for _, r in pairs] == sorted(raised)
    if chances:
        assert min(raised) == pytest.approx(min(1.0, min(chances) * len(chances)))


def test_holm_is_the_published_procedure() -> None:
    """The example of four hypotheses: 0.01 × 4, 0.02 × 3, then never lower than before."""
    assert significance.holm([0.01, 0.04, 0.03, 0.02]) == pytest.approx([0.04, 0.06, 0.06, 0.06])
