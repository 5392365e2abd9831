"""Two results → what changed, by how much, and whether that is more than noise.

docs/results.md explains the method.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from edgevoice.bench.compare.budgets import BudgetOutcome
from edgevoice.bench.compare.comparability import unlike
from edgevoice.bench.result.quantities import Quantity, QuantityUnit, QuestionKey, keyed, quantities
from edgevoice.bench.result.result import AS_SET, BenchResult, BenchTurn, Figures, Variant
from edgevoice.bench.result.summary import figures
from edgevoice.bench.statistics import significance
from edgevoice.errors import UsageError

FORMAT = "edgevoice compare"
VERSION = 2

ALPHA = 0.05
"""Highest rate at which two equal runs are called different, over all quantities together."""

LEAST_CHANGE_SHARE = 0.05
"""The smallest change that matters by default, as a share."""

SPAN_PART = 0.2
"""A change of a span matters from this part of the smallest change of the response time on."""

LEAST_TURNS = 10
"""With fewer pairs, not even a change in each of them differs from chance."""

ValuePair = tuple[significance.Values, significance.Values]
"""The values of A and of B."""

Verdict = Literal["slower", "faster", "worse", "better", "no change", "unclear", "untested"]
REGRESSED: Sequence[Verdict] = ("slower", "worse")
MOVED: Sequence[Verdict] = (*REGRESSED, "faster", "better")


class QuantityChange(Struct, frozen=True, kw_only=True):
    """One quantity in A and B; of counts only the mean is meaningful.

    `low` and `high` are the 95 % confidence interval of `change`. Null: not measured or not tested.
    """

    name: str
    """`response time`, a span, `ttft`, `tokens/s`, `underruns`, `dropped`, `cut off` or `WER`."""
    unit: QuantityUnit
    before: Figures | None
    after: Figures | None
    n: int
    """Number of pairs, or of turns of the smaller side."""
    change: float | None = None
    """Mean difference, B minus A, outliers limited."""
    relative: float | None = None
    """`change` as a share of A's mean."""
    low: float | None = None
    high: float | None = None
    p: float | None = None
    """Probability of such a change by chance, corrected for all quantities."""
    least: float | None = None
    """Smallest change that matters, in the unit."""
    verdict: Verdict = "untested"
    """`untested` under ten values."""


class ComparisonSide(Struct, frozen=True, kw_only=True):
    """One of the two compared results."""

    file: str
    variant: str
    edgevoice: str
    """Version of the program that wrote it."""
    started: str
    """ISO 8601 local time."""
    turns: int
    """Questions asked, without warm-ups."""


class ComparisonResult(Struct, frozen=True, kw_only=True):
    """The comparison of two results, A and B."""

    format: str = FORMAT
    version: int = VERSION
    before: ComparisonSide
    after: ComparisonSide
    paired: bool
    """Whether each question was compared with itself."""
    pairs: int
    """Questions asked in both."""
    least: float
    """Smallest change that matters, as a share."""
    alpha: float
    """Highest rate at which two equal runs are called different."""
    verdict: str
    """`no change`, or `slower`, `worse`, `faster` and `better` as far as they apply."""
    regressed: bool
    """Whether any quantity is slower or worse."""
    changes: tuple[QuantityChange, ...]
    lost: tuple[str, ...]
    """Questions that A answered and B dropped."""
    warnings: tuple[str, ...]
    """What makes the two hard to compare, a sentence each."""
    budgets: tuple[BudgetOutcome, ...] = ()

    def having(self, *verdicts: Verdict) -> list[QuantityChange]:
        """The changes with these verdicts: spans first, the largest on top."""
        found = [change for change in self.changes if change.verdict in verdicts]
        return sorted(
            found,
            key=lambda c: (
                c.unit != "s",
                c.name in ("response time", "ttft"),
                -abs(c.change or 0.0),
            ),
        )


def compare(
    before: BenchResult,
    after: BenchResult,
    files: tuple[str, str],
    variants: tuple[str, str] = (AS_SET, AS_SET),
    least: float = LEAST_CHANGE_SHARE,
) -> ComparisonResult:
    """Compare a variant of each result; `least` is the smallest change that matters, as a share.

    Raises UsageError if there is no such variant, or if there are too few turns.
    """
    results = (before, after)
    chosen = (variant_of(before, variants[0], files[0]), variant_of(after, variants[1], files[1]))
    runs = [
        keyed([turn for turn in result.turns if turn.variant == variant.name])
        for result, variant in zip(results, chosen, strict=True)
    ]
    shared = [key for key in runs[0] if key in runs[1]]
    fewest = min(map(len, runs))
    paired = len(shared) >= LEAST_TURNS and 2 * len(shared) >= fewest
    if not paired and fewest < LEAST_TURNS:
        raise UsageError(
            f"too few turns to tell a change from noise: {len(runs[0])} in A, {len(runs[1])} in B",
            where=" ".join(files),
            remedy=f"measure at least {LEAST_TURNS} questions in each, better 40: "
            "`edgevoice bench run --json FILE`",
        )
    changes = tuple(_changes(runs[0], runs[1], paired, least))
    kinds = [kind for kind in MOVED if any(change.verdict == kind for change in changes)]
    if not kinds and all(change.p is None for change in changes if change.unit == "s"):
        raise UsageError(
            "nothing was measured often enough in both",
            where=" ".join(files),
            remedy="compare results of the same command, with at least "
            f"{LEAST_TURNS} answered questions",
        )
    sides = [
        ComparisonSide(
            file=file,
            variant=variant.name,
            edgevoice=result.edgevoice,
            started=result.started,
            turns=len(run),
        )
        for file, variant, result, run in zip(files, chosen, results, runs, strict=True)
    ]
    return ComparisonResult(
        before=sides[0],
        after=sides[1],
        paired=paired,
        pairs=len(shared),
        least=least,
        alpha=ALPHA,
        verdict=", ".join(kinds) or "no change",
        regressed=any(kind in REGRESSED for kind in kinds),
        changes=changes,
        lost=tuple(key[0] for key in shared if runs[1][key].dropped and not runs[0][key].dropped),
        warnings=tuple(unlike(before, after, chosen, runs, paired)),
    )


def variant_of(result: BenchResult, name: str, file: str) -> Variant:
    """The variant called `name`. Raises UsageError, which lists the variants."""
    found = {variant.name: variant for variant in result.variants}
    if name not in found:
        raise UsageError(
            f"there is no variant {name!r}",
            where=file,
            remedy=f"--variant takes one of: {', '.join(found) or 'none, the result is empty'}",
        )
    return found[name]


def _changes(
    before: Mapping[QuestionKey, BenchTurn],
    after: Mapping[QuestionKey, BenchTurn],
    paired: bool,
    least: float,
) -> Iterator[QuantityChange]:
    samples = {
        quantity: _sample(quantity.values(before), quantity.values(after), paired)
        for quantity in quantities(before, after)
        if quantity.values(before) or quantity.values(after)
    }
    shifts = {quantity: _shift(quantity, sample, paired) for quantity, sample in samples.items()}
    # A quantity that is the same in every turn needs no test, and must not weaken the others'.
    tested = {q.name: shift.p for q, shift in shifts.items() if shift is not None and shift.n}
    corrected = dict(zip(tested, significance.holm(list(tested.values())), strict=True))
    whole = _whole(samples)
    for quantity, (one, other) in samples.items():
        change = QuantityChange(
            name=quantity.name,
            unit=quantity.unit,
            before=figures(quantity.values(before).values()),
            after=figures(quantity.values(after).values()),
            n=min(len(one), len(other)),
        )
        shift = shifts[quantity]
        if shift is None:
            yield change
            continue
        level = float(one.mean())
        matters = _matters(quantity, level, whole, least)
        p = corrected.get(quantity.name, 1.0)
        yield replace(
            change,
            change=shift.change,
            relative=shift.change / level if level else None,
            low=shift.low,
            high=shift.high,
            p=p,
            least=matters,
            verdict=_verdict(quantity, shift, p, matters),
        )


def _sample(
    one: Mapping[QuestionKey, float], other: Mapping[QuestionKey, float], paired: bool
) -> ValuePair:
    """The values to compare; if paired, those of the shared questions."""
    if paired:
        shared = [key for key in one if key in other]
        one, other = {k: one[k] for k in shared}, {k: other[k] for k in shared}
    return np.array(list(one.values())), np.array(list(other.values()))


def _whole(samples: Mapping[Quantity, ValuePair]) -> float:
    """The mean response time of A, in seconds; without one, the sum of all spans."""
    means = {
        quantity.name: float(one.mean()) if len(one) else 0.0
        for quantity, (one, _) in samples.items()
        if quantity.unit == "s" and quantity.name != "ttft"
    }
    return means.pop("response time", 0.0) or sum(means.values())


def _shift(quantity: Quantity, sample: ValuePair, paired: bool) -> significance.Shift | None:
    """The change, with `n` of 0 where every turn is the same; None of too few values."""
    one, other = sample
    if min(len(one), len(other)) < LEAST_TURNS:
        return None
    spread = np.abs(other - one).max() if paired else np.ptp(np.concatenate([one, other]))
    if spread == 0.0:
        return significance.Shift(0, 0.0, 0.0, 0.0, 1.0)
    # Most counts are zero: one that is not is no outlier.
    limited = quantity.unit in ("s", "tokens/s")
    return (significance.paired if paired else significance.unpaired)(one, other, limited)


def _matters(quantity: Quantity, level: float, whole: float, least: float) -> float:
    """The smallest change that matters, in the quantity's unit; `level` is its mean in A."""
    if quantity.unit in ("share", "per turn"):
        return max(least * level, SPAN_PART * least)
    return max(least * level, SPAN_PART * least * whole if quantity.part else 0.0)


def _verdict(quantity: Quantity, shift: significance.Shift, p: float, matters: float) -> Verdict:
    if p < ALPHA and abs(shift.change) >= matters:
        bad = (shift.change > 0) != quantity.more_is_better
        if quantity.unit in ("s", "tokens/s"):
            return "slower" if bad else "faster"
        return "worse" if bad else "better"
    return "no change" if max(-shift.low, shift.high) <= matters else "unclear"
