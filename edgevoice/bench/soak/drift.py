"""Whether some turns of a run have a longer gap than others of the same run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from edgevoice.bench.compare.compare import ALPHA, LEAST_TURNS
from edgevoice.bench.result.result import BenchTurn
from edgevoice.bench.statistics.significance import Shift, paired, unpaired

LEAST_DRIFT = 0.1
"""The smallest change of the gap within a run that matters, as a share."""


@dataclass(frozen=True, slots=True)
class GapDifference:
    """By how much the second turns are slower; `level` is the mean gap of the first, in seconds."""

    shift: Shift
    level: float

    @property
    def slower(self) -> bool:
        """Beyond chance, and by as much as matters."""
        return self.shift.p < ALPHA and self.shift.change >= LEAST_DRIFT * self.level

    @property
    def may_be_slower(self) -> bool:
        """Whether it could be, by as much as matters, although that is not sure."""
        return self.shift.high >= LEAST_DRIFT * self.level

    @property
    def told(self) -> str:
        """`30 ms (4 %) longer`, with the interval."""
        change, low, high = (round(v * 1000) for v in (self.shift.change, self.shift.low,
                                                       self.shift.high))  # fmt: skip
        share = abs(self.shift.change) / self.level * 100 if self.level else 0.0
        which = "longer" if change > 0 else "shorter"
        return f"{abs(change)} ms ({share:.0f} %; 95 % sure: {low:+} to {high:+} ms) {which}"


def between(one: Sequence[BenchTurn], other: Sequence[BenchTurn]) -> GapDifference | None:
    """Compare their gaps, question by question where both have the same; None of too few.

    Questions differ, and so a question that was asked on both sides is compared with itself.
    """
    first, second = _by_question(one), _by_question(other)
    shared = [question for question in first if question in second]
    if len(shared) >= LEAST_TURNS and 2 * len(shared) >= min(len(first), len(second)):
        before = np.array([fmean(first[question]) for question in shared])
        after = np.array([fmean(second[question]) for question in shared])
        return GapDifference(paired(before, after), float(before.mean()))
    before = np.array([gap for gaps in first.values() for gap in gaps])
    after = np.array([gap for gaps in second.values() for gap in gaps])
    if min(len(before), len(after)) < LEAST_TURNS:
        return None
    return GapDifference(unpaired(before, after), float(before.mean()))


def _by_question(turns: Sequence[BenchTurn]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for turn in turns:
        if turn.response_time is not None:
            found.setdefault(turn.question, []).append(turn.response_time)
    return found
