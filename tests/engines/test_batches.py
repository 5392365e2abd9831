"""Cutting a prompt into batches: the cheapest way, found out on this machine."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice.engines.batches import (
    MIN_SPLIT,
    PROBE_SIZES,
    BatchCosts,
    interpolated,
    padded,
    plan,
)


def ways(count: int, most: int) -> Iterator[list[int]]:
    """Every way to cut `count` tokens into batches of at most `most`, larger ones first."""
    if count == 0:
        yield []
    for size in range(min(count, most), 0, -1):
        for rest in ways(count - size, size):
            yield [size, *rest]


def total(batches: Sequence[int], costs: Sequence[float]) -> float:
    return sum(costs[size - 1] for size in batches)


cost_lists = st.lists(st.floats(0.001, 10.0), min_size=1, max_size=12)


@given(st.integers(0, 14), cost_lists, st.floats(0.001, 10.0))
def test_no_other_way_to_cut_is_cheaper(count: int, costs: list[float], longest: float) -> None:
    """Of all ways that keep to the limit, tried one by one, none costs less."""
    found = plan(count, costs, longest)
    assert sum(found) == count
    allowed = [
        way
        for way in ways(count, len(costs))
        if all(costs[size - 1] <= longest or size <= MIN_SPLIT for size in way)
    ]
    assert found in allowed
    assert total(found, costs) == pytest.approx(min(total(way, costs) for way in allowed))


def test_a_hump_in_the_costs_is_stepped_over() -> None:
    """Where eight at once cost more than twice four, eight tokens go as four and four."""
    measured = {1: 65, 2: 91, 4: 119, 5: 165, 7: 232, 8: 353, 9: 393, 12: 460, 16: 489}
    costs = interpolated(measured, 64)
    assert plan(8, costs) == [4, 4]
    assert plan(16, costs) == [4, 4, 4, 4]
    assert plan(5, costs) == [5]


def test_while_they_speak_no_batch_takes_long() -> None:
    """The limit holds for every batch, however much cheaper longer ones would be."""
    costs = [0.06 + 0.01 * n for n in range(64)]
    assert plan(64, costs) == [64]
    assert max(costs[size - 1] for size in plan(64, costs, max_seconds=0.15)) <= 0.15


def test_a_slow_machine_still_takes_some_tokens_at_once() -> None:
    """One by one each would wait for all the weights: up to a unit goes together, limit or not."""
    costs = [0.4 + 0.02 * n for n in range(16)]
    assert set(plan(16, costs, max_seconds=0.15)) == {MIN_SPLIT}


def test_the_first_prompt_finds_out_what_each_size_costs() -> None:
    """Without anything measured, one batch of each size comes first, and then the rest."""
    costs = BatchCosts(64)
    first = costs.cut(100, threads=2, measure_all=True)
    assert first[: len(PROBE_SIZES)] == list(PROBE_SIZES)
    assert sum(first) == 100
    for size in PROBE_SIZES:
        costs.note(2, size, 0.05 * size)
    assert sum(costs.cut(100, threads=2, measure_all=True)) == 100
    assert set(costs.measured[2]) == set(PROBE_SIZES)


def test_sizes_too_large_are_not_tried() -> None:
    """Neither more than there is nor more than the context takes at once."""
    assert max(BatchCosts(16).cut(100, threads=1, measure_all=True)) == 16
    assert sum(BatchCosts(64).cut(3, threads=1)) == 3


def test_a_number_of_threads_not_yet_measured_costs_in_proportion() -> None:
    """One thread is taken for half as fast as two until it is known better."""
    costs = BatchCosts(64)
    for size in (1, 9):
        costs.note(2, size, 0.1 + 0.02 * size)
    for longest, size in ((0.21, 5), (0.23, 6), (0.25, 7), (0.27, 8)):
        assert max(costs.cut(72, threads=2, max_seconds=longest)) == size
        assert max(costs.cut(72, threads=1, max_seconds=2 * longest)) == size


def test_one_slow_batch_does_not_overturn_what_is_known() -> None:
    """New measurements count for less than the old ones together, but they do count."""
    costs = BatchCosts(64)
    costs.note(2, 4, 0.1)
    costs.note(2, 4, 1.1)
    assert 0.1 < costs.measured[2][4] < 0.6
    for _ in range(20):
        costs.note(2, 4, 0.2)
    assert costs.measured[2][4] == pytest.approx(0.2, rel=0.01)


def test_sizes_between_two_measured_ones_lie_between_them() -> None:
    """Straight lines, and below the smallest as much as the smallest."""
    assert interpolated({2: 1.0, 4: 3.0}, 64) == [1.0, 1.0, 2.0, 3.0]
    assert interpolated({1: 1.0, 128: 9.0}, 64) == [1.0]
    assert plan(5, [math.inf, 1.0, 1.0, 1.0]) == [3, 2]


VNNI = {1: 38, 4: 120, 8: 267, 12: 278, 16: 239}
"""A 1.5 B model in Q4_K_M, ms: its kernels take 16 rows at a time."""
EVEN = {1: 33, 4: 80, 8: 140, 12: 200, 16: 262}


def test_a_batch_is_padded_where_a_larger_one_costs_less() -> None:
    """Eight to fourteen tokens go as 16; fewer go as they are, and all without room for 16."""
    costs = interpolated(VNNI, 64)
    assert padded(costs, VNNI) == [1, 2, 3, 4, 5, 6, 7, *[16] * 7, 15, 16]
    assert padded(costs[:15], VNNI) == list(range(1, 16))


def test_nothing_is_padded_where_each_token_costs_its_share() -> None:
    """Nor where the larger batch costs less by no more than measurements differ."""
    assert padded(interpolated(EVEN, 64), EVEN) == list(range(1, 17))
    assert padded([1.0, 1.0, 0.97], (1, 2, 3)) == [1, 2, 3]


def test_a_prompt_is_cut_by_what_padded_batches_cost() -> None:
    """Twelve tokens stay together where 16 cost less than eight and four."""
    costs = BatchCosts(64)
    costs.measured = {2: {size: ms / 1000 for size, ms in VNNI.items()}}
    assert costs.cut(12, threads=2) == [12]
    assert costs.padded(12, threads=2, most=400) == 16
    assert costs.padded(12, threads=2, most=14) == 12
    assert costs.padded(70, threads=2, most=400) == 70
    assert BatchCosts(64).padded(12, threads=2, most=400) == 12


def test_below_the_smallest_known_size_nothing_is_padded() -> None:
    """What four tokens cost is unknown there, and it may be much less."""
    costs = BatchCosts(64)
    costs.measured = {1: {12: 0.5, 16: 0.4}}
    assert [costs.padded(n, threads=1, most=400) for n in (4, 11, 12, 13)] == [4, 11, 16, 16]


def test_a_size_that_is_always_padded_is_measured_again() -> None:
    """One slow measurement on a busy moment does not pad it for ever."""
    costs = BatchCosts(64)
    costs.measured = {2: {size: ms / 1000 for size, ms in EVEN.items()}}
    costs.note(2, 10, 0.32)
    for _ in range(20):
        size = costs.padded(10, threads=2, most=400)
        if size == 10:
            break
        costs.note(2, size, EVEN[16] / 1000)
    assert size == 10
    costs.note(2, 10, 0.17)
    assert costs.padded(10, threads=2, most=400) == 10


def test_the_time_of_a_prompt_is_expected_as_measured() -> None:
    """It is that of its batches; unknown is 0."""
    costs = BatchCosts(64)
    assert costs.seconds(8, 2) == 0
    for size, seconds in ((1, 0.1), (8, 0.4), (16, 0.5)):
        costs.note(2, size, seconds)
    assert costs.seconds(8, 2) == pytest.approx(0.4)
    assert costs.seconds(24, 2) == pytest.approx(0.9)
    assert costs.seconds(8, 1) == pytest.approx(0.8)


def test_one_known_size_does_not_rule_out_larger_batches() -> None:
    """After a start from stored states only single tokens may have been measured."""
    costs = BatchCosts(64)
    costs.note(1, 1, 0.2)
    assert costs.cut(28, threads=1) == [16, 12]
    assert max(costs.cut(28, threads=1, max_seconds=0.1)) == MIN_SPLIT


def test_sizes_measured_on_other_threads_count_in_proportion() -> None:
    """One size measured on one thread says how the sizes measured on two scale."""
    costs = BatchCosts(64)
    for size, seconds in VNNI.items():
        costs.note(2, size, seconds)
    costs.note(1, 1, 2 * VNNI[1])
    assert costs.cut(16, threads=1) == [16]
    assert costs.seconds(16, threads=1) == 2 * VNNI[16]


def test_a_size_measured_at_a_bad_moment_is_tried_again() -> None:
    """A batch is never slower than its tokens one by one, unless something disturbed it."""
    costs = BatchCosts(64)
    for size, seconds in {1: 0.04, 4: 0.12, 16: 9.0, 32: 12.0}.items():
        costs.note(2, size, seconds)
    assert costs.cut(16, threads=2) == [16]
    for _ in range(5):
        costs.note(2, 16, 0.25)
    assert costs.seconds(16, threads=2) < 0.4
