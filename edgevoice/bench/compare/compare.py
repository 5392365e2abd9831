"""Two results → what changed, by how much, and whether that is more than the noise.

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
from edgevoice.bench.result.quantities import Key, Quantity, Unit, keyed, quantities
from edgevoice.bench.result.result import AS_SET, BenchResult, BenchTurn, Figures, Variant
from edgevoice.bench.result.summary import figures
from edgevoice.bench.statistics import significance
from edgevoice.errors import UsageError

FORMAT = "edgevoice compare"
VERSION = 1

ALPHA = 0.05
"""How often two runs of the same thing may be called different, over all quantities together."""

LEAST = 0.05
"""The smallest change that matters, as a share, unless another one is given."""

PART = 0.2
"""A span matters only if it changes the gap by this part of what matters of the gap itself."""

LEAST_TURNS = 10
"""Of fewer pairs not even a change in every one of them could be told from chance."""

Verdict = Literal["slower", "faster", "worse", "better", "no change", "unclear", "untested"]
REGRESSED: Sequence[Verdict] = ("slower", "worse")
MOVED: Sequence[Verdict] = (*REGRESSED, "faster", "better")


class QuantityChange(Struct, frozen=True, kw_only=True):
    """One quantity, before and after."""

    name: str
    """`gap`, a span, `ttft`, `tokens/s`, `underruns`, `dropped`, `cut off` or `WER`."""
    unit: Unit
    """Unit of all values here."""
    before: Figures | None
    """Statistics of A; null where not measured."""
    after: Figures | None
    """Statistics of B. For counts only the mean is meaningful."""
    n: int
    """Number of pairs, or of turns of the smaller side."""
    change: float | None = None
    """Mean difference, B minus A, outliers limited; null where not tested."""
    relative: float | None = None
    """`change` as a share of A's mean; null where that is zero."""
    low: float | None = None
    """Lower end of the 95 % confidence interval of `change`."""
    high: float | None = None
    """Upper end."""
    p: float | None = None
    """Probability of such a change by chance, corrected for all quantities."""
    least: float | None = None
    """Smallest change that matters, in the unit."""
    verdict: Verdict = "untested"
    """The verdict; `untested` under ten values."""


class ComparisonSide(Struct, frozen=True, kw_only=True):
    """One of the two compared results."""

    file: str
    """Result file."""
    variant: str
    """The compared variant."""
    edgevoice: str
    """Version of the program that wrote it."""
    started: str
    """ISO 8601 local time."""
    turns: int
    """Questions asked, without warm-ups."""


class ComparisonResult(Struct, frozen=True, kw_only=True):
    """The comparison of two results."""

    format: str = FORMAT
    """Always `edgevoice compare`."""
    version: int = VERSION
    """Version of the format."""
    before: ComparisonSide
    """A."""
    after: ComparisonSide
    """B."""
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
    """Every quantity."""
    lost: tuple[str, ...]
    """Questions that A answered and B dropped."""
    warnings: tuple[str, ...]
    """What makes the two hard to compare, a sentence each."""
    budgets: tuple[BudgetOutcome, ...] = ()
    """Result of each budget."""

    def having(self, *verdicts: Verdict) -> list[QuantityChange]:
        """The changes of these kinds: the parts of the gap first, those that moved most on top."""
        found = [change for change in self.changes if change.verdict in verdicts]
        return sorted(
            found, key=lambda c: (c.unit != "s", c.name in ("gap", "ttft"), -abs(c.change or 0.0))
        )


def compare(
    before: BenchResult,
    after: BenchResult,
    files: tuple[str, str],
    variants: tuple[str, str] = (AS_SET, AS_SET),
    least: float = LEAST,
) -> ComparisonResult:
    """Compare a variant of each result; `least` is the smallest change that matters, as a share.

    Raises UsageError where there is no such variant, or where there are too few turns to tell.
    """
    chosen = (
        variant_of(before, variants[0], files[0]),
        variant_of(after, variants[1], files[1]),
    )
    runs = tuple(
        keyed([turn for turn in result.turns if turn.variant == variant.name])
        for result, variant in zip((before, after), chosen, strict=True)
    )
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
    moved = [change for change in changes if change.verdict in MOVED]
    if not moved and all(change.p is None for change in changes if change.unit == "s"):
        raise UsageError(
            "nothing was measured often enough in both",
            where=" ".join(files),
            remedy="compare results of the same command, with at least "
            f"{LEAST_TURNS} answered questions",
        )
    made = ComparisonResult(
        before=_side(before, chosen[0], files[0], len(runs[0])),
        after=_side(after, chosen[1], files[1], len(runs[1])),
        paired=paired,
        pairs=len(shared),
        least=least,
        alpha=ALPHA,
        verdict="no change",
        regressed=any(change.verdict in REGRESSED for change in changes),
        changes=changes,
        lost=tuple(key[0] for key in shared if runs[1][key].dropped and not runs[0][key].dropped),
        warnings=tuple(unlike(before, after, chosen, runs, paired)),
    )
    kinds = [kind for kind in MOVED if made.having(kind)]
    return replace(made, verdict=", ".join(kinds)) if kinds else made


def variant_of(result: BenchResult, name: str, file: str) -> Variant:
    """The variant called `name`. Raises UsageError, naming those there are."""
    found = {variant.name: variant for variant in result.variants}
    if name not in found:
        raise UsageError(
            f"there is no variant {name!r}",
            where=file,
            remedy=f"--variant takes one of: {', '.join(found) or 'none, the result is empty'}",
        )
    return found[name]


def _changes(
    before: Mapping[Key, BenchTurn], after: Mapping[Key, BenchTurn], paired: bool, least: float
) -> Iterator[QuantityChange]:
    found = [q for q in quantities(before, after) if q.values(before) or q.values(after)]
    samples = [_sample(quantity, before, after, paired) for quantity in found]
    whole = _whole(found, samples)
    shifts = [
        _shift(quantity, one, other, paired)
        for quantity, (one, other) in zip(found, samples, strict=True)
    ]
    # What is the same in every turn of both needs no test, and must not make the others' harder.
    tested = {i: shift.p for i, shift in enumerate(shifts) if shift is not None and shift != SAME}
    sure = dict(zip(tested, significance.holm(list(tested.values())), strict=True))
    for i, (quantity, (one, other)) in enumerate(zip(found, samples, strict=True)):
        change = QuantityChange(
            name=quantity.name,
            unit=quantity.unit,
            before=figures(quantity.values(before).values()),
            after=figures(quantity.values(after).values()),
            n=min(len(one), len(other)),
        )
        shift = shifts[i]
        if shift is None:
            yield change
            continue
        level = float(one.mean())
        matters = _matters(quantity, level, whole, least)
        p = sure.get(i, 1.0)
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
    quantity: Quantity,
    before: Mapping[Key, BenchTurn],
    after: Mapping[Key, BenchTurn],
    paired: bool,
) -> tuple[significance.Values, significance.Values]:
    """The values to be compared; in pairs, those of the questions that both have."""
    one, other = quantity.values(before), quantity.values(after)
    if paired:
        shared = [key for key in one if key in other]
        one, other = {k: one[k] for k in shared}, {k: other[k] for k in shared}
    return np.array(list(one.values())), np.array(list(other.values()))


def _whole(
    found: Sequence[Quantity], samples: Sequence[tuple[significance.Values, significance.Values]]
) -> float:
    """The mean gap before, in seconds; where there is none, all that took time."""
    means = {
        quantity.name: float(one.mean()) if len(one) else 0.0
        for quantity, (one, _) in zip(found, samples, strict=True)
        if quantity.unit == "s" and quantity.name != "ttft"
    }
    return means.pop("gap", 0.0) or sum(means.values())


SAME = significance.Shift(0, 0.0, 0.0, 0.0, 1.0)
"""What is found where every turn is as it was."""


def _shift(
    quantity: Quantity, one: significance.Values, other: significance.Values, paired: bool
) -> significance.Shift | None:
    if min(len(one), len(other)) < LEAST_TURNS:
        return None
    spread = np.abs(other - one).max() if paired else np.ptp(np.concatenate([one, other]))
    if spread == 0.0:
        return SAME
    # What is counted is mostly nothing: one that is something is not wild.
    tame = quantity.unit in ("s", "tokens/s")
    return (significance.paired if paired else significance.unpaired)(one, other, tame)


def _matters(quantity: Quantity, level: float, whole: float, least: float) -> float:
    """The smallest change that matters, in the quantity's unit; `level` is its mean before."""
    if quantity.unit in ("share", "per turn"):
        return max(least * level, PART * least)
    return max(least * level, PART * least * whole if quantity.part else 0.0)


def _verdict(quantity: Quantity, shift: significance.Shift, p: float, matters: float) -> Verdict:
    """What it comes to; `p` is corrected for how many quantities there are."""
    if p < ALPHA and abs(shift.change) >= matters:
        bad = (shift.change > 0) != quantity.more_is_better
        if quantity.unit in ("s", "tokens/s"):
            return "slower" if bad else "faster"
        return "worse" if bad else "better"
    return "no change" if max(-shift.low, shift.high) <= matters else "unclear"


def _side(result: BenchResult, variant: Variant, file: str, turns: int) -> ComparisonSide:
    return ComparisonSide(
        file=file,
        variant=variant.name,
        edgevoice=result.edgevoice,
        started=result.started,
        turns=turns,
    )
