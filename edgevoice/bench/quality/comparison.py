"""The replies of one set-up by category, and those of two set-ups to the same questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING

from edgevoice.bench.quality.quality import QUESTION_HALVES, QualityAnswer, QualityResult
from edgevoice.errors import UsageError
from edgevoice.words import words

if TYPE_CHECKING:
    from edgevoice.bench.statistics.significance import Shift

ALL = "all"
SIGNIFICANT = 0.05
"""p below which a difference is more than chance."""


@dataclass(frozen=True, slots=True)
class Category:
    """The percentage of right replies.

    Compared with another result: its percentage `before`, the `difference` in points, and how many
    questions were `gained` and `lost`. A question is gained if more seeds get it right than before.
    """

    name: str
    questions: int
    right: float
    before: float = 0.0
    gained: int = 0
    lost: int = 0
    difference: Shift | None = None

    @property
    def worse(self) -> bool:
        """Whether more was lost than chance explains."""
        shift = self.difference
        return shift is not None and shift.change < 0 and shift.p < SIGNIFICANT


def counted(result: QualityResult, other: QualityResult | None = None) -> list[Category]:
    """Each category, each half of the questions, and all; compared with `other` if it is given.

    Then only questions count that both answered. Raises UsageError if there are none.
    """
    rights = _percentages(result)
    if other is None:
        return [
            Category(name, len(of), fmean(rights[question] for question in of))
            for name, of in _grouped(result.answers)
        ]
    earlier = _percentages(other)
    paired = [answer for answer in result.answers if answer.question in earlier]
    if not paired:
        raise UsageError(
            "the two results share no question",
            where="--against",
            remedy="leave out --only, --half or --limit, or ask again for both",
        )
    return [
        _compared(name, [earlier[question] for question in of], [rights[q] for q in of])
        for name, of in _grouped(paired)
    ]


def _compared(name: str, before: Sequence[float], after: Sequence[float]) -> Category:
    import numpy as np

    from edgevoice.bench.statistics.significance import paired

    one, other = np.array(before), np.array(after)
    gained, lost = int((other > one).sum()), int((other < one).sum())
    shift = paired(one, other, limited=False)
    return Category(name, len(one), other.mean(), one.mean(), gained, lost, shift)


def table(result: QualityResult, counts: Sequence[Category]) -> list[str]:
    """The counts as lines for a terminal, then the length of the replies."""
    lines = [f"{'':16}{'questions':>9}{'right':>9}"]
    if any(one.difference for one in counts):
        head = f"{'before':>9}{'points':>9}{'95 % interval':>17}{'gained':>8}{'lost':>6}{'p':>8}"
        lines = [lines[0] + head]
    for one in counts:
        line = f"{one.name:16}{one.questions:>9}{one.right:>7.1f} %"
        if shift := one.difference:
            interval = f"{shift.low:+.1f} to {shift.high:+.1f}"
            line += f"{one.before:>7.1f} %{shift.change:>+9.1f}{interval:>17}"
            line += f"{one.gained:>8}{one.lost:>6}{shift.p:>8.3f}"
        lines.append(line)
    lengths = sorted(len(words(answer.reply)) for answer in result.answers)
    longest = f"{median(lengths):.0f} words in the middle, {lengths[-1]} in the longest"
    return [*lines, f"{result.slm}, replies: {longest}"]


def _percentages(result: QualityResult) -> dict[str, float]:
    """By question: the percentage of its replies that are right, one for each seed."""
    rights: dict[str, list[bool]] = {}
    for answer in result.answers:
        rights.setdefault(answer.question, []).append(answer.right)
    return {question: 100 * fmean(of) for question, of in rights.items()}


def _grouped(answers: Sequence[QualityAnswer]) -> Iterator[tuple[str, list[str]]]:
    """The questions of each category, of each half if there are two, and all."""
    each = {answer.question: answer for answer in answers}
    for name in dict.fromkeys(answer.category for answer in answers):
        yield name, [question for question, one in each.items() if one.category == name]
    halves = {answer.half for answer in answers}
    for half, name in QUESTION_HALVES.items():
        if len(halves) > 1 and half in halves:
            yield name, [question for question, one in each.items() if one.half == half]
    yield ALL, list(each)
