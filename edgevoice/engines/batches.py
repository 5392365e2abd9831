"""Split a prompt into batches at the least measured cost (cpu-2026-11).

Where a larger batch costs less, a smaller one is padded to its size: matrix kernels take some sizes
at once, such as 16 rows, and others piece by piece.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from statistics import median

MIN_SPLIT, TRIED_UP_TO = 4, 16
"""Batch size that is never split to save time: reading the weights costs the same for one token;
and the largest that is tried while only smaller ones were measured."""
PROBE_SIZES = (32, 16, 12, MIN_SPLIT, 2, 1)
"""Batch sizes measured with the first prompt."""
NEWEST_WEIGHT, FASTER_WEIGHT = 0.3, 0.7
"""Weight of the newest measurement in the moving average, and of one that is faster: the older
ones were slowed down by something else."""
UNKNOWN_SHARE = 0.95
"""Expected cost of a size above the known ones, as a share of the largest known: so it is tried."""
MAX_SHARE = 0.95
"""A padded batch costs at most this share of the batch that it replaces: less is noise."""
FADE = 0.98
"""What is left of the known cost of a size each time it is padded, so that it is measured again."""


def plan(count: int, costs: Sequence[float], max_seconds: float = math.inf) -> list[int]:
    """The batch sizes, largest first, that evaluate `count` tokens at the least total cost.

    `costs[n - 1]` is the cost in seconds of a batch of n tokens; larger sizes are not used. Sizes
    above MIN_SPLIT that cost more than `max_seconds` are not used either.
    """
    sizes = [n for n, cost in enumerate(costs, 1) if cost <= max_seconds or n <= MIN_SPLIT]
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


def padded(costs: Sequence[float], measured: Collection[int]) -> list[int]:
    """For each number of tokens from 1, the size of the batch that evaluates them at least cost.

    `costs[n - 1]` is the cost in seconds of a batch of n tokens. Batches are padded to `measured`
    sizes only; a single token, and fewer than the smallest of these sizes, are never padded.
    """
    sizes = []
    cheapest = 0
    for count in range(len(costs), 0, -1):
        if count in measured and (not cheapest or costs[count - 1] <= costs[cheapest - 1]):
            cheapest = count
        pays = cheapest and costs[cheapest - 1] < MAX_SHARE * costs[count - 1]
        sizes.append(cheapest if pays and count >= max(2, min(measured)) else count)
    return sizes[::-1]


class BatchCosts:
    """Measured seconds of batches of at most `largest` tokens, by number of threads."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self.measured: dict[int, dict[int, float]] = {}
        """threads → size → seconds"""

    def note(self, threads: int, size: int, seconds: float) -> None:
        """Add a measurement: a batch of `size` tokens took `seconds` on `threads` threads."""
        known = self.measured.setdefault(threads, {})
        before = known.get(size, seconds)
        weight = FASTER_WEIGHT if seconds < before else NEWEST_WEIGHT
        known[size] = before * (1 - weight) + seconds * weight

    def cut(
        self, count: int, threads: int, max_seconds: float = math.inf, measure_all: bool = False
    ) -> list[int]:
        """Batch sizes for `count` tokens; with `measure_all`, unmeasured sizes come first."""
        known = self.measured.get(threads, {})
        batches: list[int] = []
        if measure_all or not self.measured:
            for size in PROBE_SIZES:
                if size not in known and size <= min(self._largest, count):
                    batches.append(size)
                    count -= size
        if not self._known:
            return batches + [MIN_SPLIT] * (count // MIN_SPLIT) + [1] * (count % MIN_SPLIT)
        return batches + plan(count, self._least_costs(threads), max_seconds)

    def seconds(self, count: int, threads: int) -> float:
        """Expected seconds of `count` tokens; 0 if nothing was measured."""
        if not self._known:
            return 0.0
        costs = self._least_costs(threads)
        return sum(costs[size - 1] for size in plan(count, costs))

    def padded(self, count: int, threads: int, most: int) -> int:
        """The size, at most `most`, of the batch that evaluates `count` tokens at least cost.

        A size that is replaced by a larger one counts for less each time: a slow measurement of
        long ago does not pad it for ever.
        """
        if count < 2 or not self._known:  # each token of a reply comes alone
            return count
        costs, sizes = self._curve(threads, most)
        size = sizes[count - 1] if count <= len(sizes) else count
        if size > count and threads in self.measured:
            self.measured[threads][count] = FADE * costs[count - 1]
        return size

    @property
    def _known(self) -> bool:
        """Whether the cost of any usable size was measured."""
        return any(min(known) <= self._largest for known in self.measured.values())

    def _least_costs(self, threads: int) -> list[float]:
        """Seconds of each number of tokens from 1, padded where that costs less."""
        costs, sizes = self._curve(threads)
        return [costs[size - 1] for size in sizes]

    def _curve(self, threads: int, most: int | None = None) -> tuple[list[float], list[int]]:
        """For each number of tokens from 1 to `most`: seconds as they are, and the padded size."""
        known = self._at(threads)
        costs = interpolated(known, self._largest)
        largest = min(self._largest, TRIED_UP_TO)
        each = UNKNOWN_SHARE * costs[-1] / len(costs)
        costs += [each * size for size in range(len(costs) + 1, largest + 1)]
        return costs[:most], padded(costs[:most], known)

    def _at(self, threads: int) -> dict[int, float]:
        """Seconds of the measured sizes; those measured on other numbers of threads are scaled."""
        known = dict(self.measured.get(threads, {}))
        for other in sorted(self.measured, key=lambda number: abs(number - threads)):
            theirs = self.measured[other]
            ratios = [known[size] / theirs[size] for size in known if size in theirs]
            scale = median(ratios) if ratios else other / threads
            for size, seconds in theirs.items():
                known.setdefault(size, seconds * scale)
        # What cost more than its tokens one by one was disturbed: forgotten, it is tried again.
        single = known.get(1, math.inf)
        return {size: seconds for size, seconds in known.items() if seconds <= size * single}


def interpolated(known: Mapping[int, float], largest: int) -> list[float]:
    """Seconds of each size from 1 to the largest known, interpolated linearly."""
    points = sorted((size, cost) for size, cost in known.items() if size <= largest)
    first = points[0]
    # Below the smallest known size the cost is the same: reading the weights dominates.
    curve = [first[1]] * first[0]
    for (size, cost), (next_size, next_cost) in pairwise(points):
        step = (next_cost - cost) / (next_size - size)
        curve += [cost + step * i for i in range(1, next_size - size + 1)]
    return curve
