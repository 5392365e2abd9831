"""The replies of one set-up by category, and those of two set-ups to the same questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from msgspec import Struct

from edgevoice.bench.quality.quality import QualityAnswer, QualityResult
from edgevoice.errors import UsageError
from edgevoice.words import words

ALL = "all"
SIGNIFICANT = 0.05
"""p below which a difference is more than chance."""


class Category(Struct, frozen=True, kw_only=True):
    """Counts of right replies; `before`, `gained`, `lost` and `p` compare with another result."""

    name: str
    questions: int
    right: int
    before: int = 0
    gained: int = 0
    lost: int = 0
    p: float = 1.0

    @property
    def worse(self) -> bool:
        """Whether more was lost than chance explains."""
        return self.lost > self.gained and self.p < SIGNIFICANT


def counted(result: QualityResult, other: QualityResult | None = None) -> list[Category]:
    """The counts of each category, and of all; compared with `other` if it is given.

    Then only questions count that both answered. Raises UsageError if there are none.
    """
    if other is None:
        return [
            Category(name=name, questions=len(of), right=sum(one.right for one in of))
            for name, of in _grouped(result.answers)
        ]
    from edgevoice.bench.statistics.mcnemar import mcnemar

    earlier = {answer.question: answer.right for answer in other.answers}
    paired = [answer for answer in result.answers if answer.question in earlier]
    if not paired:
        raise UsageError(
            "the two results share no question",
            where="--against",
            remedy="leave out --only or --limit, or ask again for both",
        )
    made = []
    for name, of in _grouped(paired):
        gained = sum(one.right and not earlier[one.question] for one in of)
        lost = sum(not one.right and earlier[one.question] for one in of)
        right = sum(one.right for one in of)
        made.append(
            Category(
                name=name,
                questions=len(of),
                right=right,
                before=right - gained + lost,
                gained=gained,
                lost=lost,
                p=mcnemar(gained, lost),
            )
        )
    return made


def table(result: QualityResult, counts: Sequence[Category], compared: bool) -> list[str]:
    """The counts as lines for a terminal, then the length of the replies."""
    head = f"{'':16}{'questions':>10}{'right':>7}"
    lines = [head + (f"{'before':>8}{'gained':>8}{'lost':>6}{'p':>8}" if compared else "")]
    for one in counts:
        line = f"{one.name:16}{one.questions:>10}{one.right:>7}"
        if compared:
            line += f"{one.before:>8}{one.gained:>8}{one.lost:>6}{one.p:>8.3f}"
        lines.append(line)
    lengths = sorted(len(words(answer.reply)) for answer in result.answers)
    longest = f"{median(lengths):.0f} words in the middle, {lengths[-1]} in the longest"
    return [*lines, f"{result.slm}, replies: {longest}"]


def _grouped(answers: Sequence[QualityAnswer]) -> Iterator[tuple[str, list[QualityAnswer]]]:
    for name in dict.fromkeys(answer.category for answer in answers):
        yield name, [answer for answer in answers if answer.category == name]
    yield ALL, list(answers)
