"""How a prompt is cut into batches: what each size costs here, and the cheapest way to cut."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

UNIT = 4
"""Tokens that are never split to be quicker at hand: reading the weights costs as much for one."""
TRIED = (32, 16, 8, UNIT, 2, 1)
"""Sizes whose cost is found out with the first prompt."""
NEW = 0.3
"""How much the newest measurement counts against all before it."""


def plan(count: int, costs: Sequence[float], longest: float = math.inf) -> list[int]:
    """The sizes of batches, largest first, that evaluate `count` tokens at the least total cost.

    `costs[n - 1]` is what a batch of n tokens costs, in seconds; sizes beyond are not used, nor,
    above UNIT, those that cost more than `longest`.
    """
    sizes = [n for n, cost in enumerate(costs, 1) if cost <= longest or n <= UNIT]
    least = [0.0]
    last = [0]
    for total in range(1, count + 1):
        cost, size = min((least[total - n] + costs[n - 1], -n) for n in sizes if n <= total)
        least.append(cost)
        last.append(-size)
    batches = []
    while count:
        batches.append(last[count])
        count -= last[count]
    return sorted(batches, reverse=True)


class BatchCosts:
    """What batches of `largest` tokens at most have cost on this machine, by number of threads."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self.measured: dict[int, dict[int, float]] = {}
        """threads → size → seconds"""

    def note(self, threads: int, size: int, seconds: float) -> None:
        """A batch of `size` tokens has taken `seconds`."""
        known = self.measured.setdefault(threads, {})
        known[size] = known.get(size, seconds) * (1 - NEW) + seconds * NEW

    def cut(
        self, count: int, threads: int, longest: float = math.inf, trying: bool = False
    ) -> list[int]:
        """Batches for `count` tokens; with `trying`, first one of each size not yet measured."""
        known = self.measured.get(threads, {})
        batches: list[int] = []
        if trying or not self.measured:
            for size in TRIED:
                if size not in known and size <= min(self._largest, count):
                    batches.append(size)
                    count -= size
        if not any(min(known) <= self._largest for known in self.measured.values()):
            return batches + [UNIT] * (count // UNIT) + [1] * (count % UNIT)
        return batches + plan(count, self._curve(threads), longest)

    def _curve(self, threads: int) -> list[float]:
        """The cost of each size from 1; where this number of threads is new, from the nearest."""
        usable = [n for n, known in self.measured.items() if min(known) <= self._largest]
        nearest = min(usable, key=lambda other: abs(other - threads))
        curve = interpolated(self.measured[nearest], self._largest)
        return [seconds * nearest / threads for seconds in curve]


def interpolated(known: Mapping[int, float], largest: int) -> list[float]:
    """The cost of each size from 1 to the largest known, on straight lines between those known."""
    points = sorted((size, cost) for size, cost in known.items() if size <= largest)
    first = points[0]
    # Below the smallest: as much as that, for what is not computed is still read.
    curve = [first[1]] * first[0]
    for (size, cost), (next_size, next_cost) in pairwise(points):
        step = (next_cost - cost) / (next_size - size)
        curve += [cost + step * i for i in range(1, next_size - size + 1)]
    return curve
