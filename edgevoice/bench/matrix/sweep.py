"""A sweep at work: every combination in a process of its own, there and back again.

One process a combination, so that its memory, caches and threads are its own; models are not kept
side by side, which few machines have the memory for. A machine that becomes warmer from minute to
minute would make the last combination look slow. So the combinations are measured in their order on
every other question, and in the opposite order on the rest: whatever drifts steadily falls on all
of them alike. It costs one more loading of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from edgevoice.bench.driver.bench import BenchPlan
from edgevoice.bench.driver.merge import merged
from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.bench.jobs.worker import Worker
from edgevoice.bench.matrix.axes import Combination
from edgevoice.bench.result import result as results
from edgevoice.bench.result.result import BenchResult
from edgevoice.bench.stages.cold_start import EXPECTED
from edgevoice.bench.stages.stages import COSTS
from edgevoice.errors import EdgevoiceError

OVERHEAD = 15.0
"""Seconds that a combination may be expected to take beside its questions, each time: to measure
the machine, to load, and to listen to silence."""

SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.=_-+")
LONGEST_NAME = 100
"""Characters of a file's name."""

Kept = Callable[[BenchResult], None]
"""Takes what was measured, or the part of it that there is."""
Measure = Callable[[BenchPlan, BenchProgress, Kept], None]
"""Does a plan. Raises what it fails with, or what interrupts it, after it has handed over."""


@dataclass
class SweepPoint:
    """A combination, its plan, and what became of it."""

    cell: Combination
    plan: BenchPlan
    file: Path
    result: BenchResult | None = None
    failed: EdgevoiceError | None = None


def elsewhere(plan: BenchPlan, progress: BenchProgress, keep: Kept) -> None:
    """Have another process do the plan."""
    process = Worker[BenchResult](plan)
    try:
        process.run(progress)
    finally:
        if process.made is not None:
            keep(process.made)


@dataclass
class Sweep:
    """Measures all `points`; each one's file is written as soon as there is something to write."""

    points: Sequence[SweepPoint]
    progress: BenchProgress
    measure: Measure = elsewhere

    def run(self) -> None:
        """Measure everything; a combination that fails is told of, and the next one begins.

        Raises whatever interrupts it; what was measured until then is in the points.
        """
        steps = list(passes(self.points))
        total = sum(expected(plan) for _, plan in steps)
        self.progress.begin(f"{len(self.points)} combinations", total)
        for number, (point, plan) in enumerate(steps, 1):
            where = f"[{number}/{len(steps)}] {point.cell.label}"
            if point.failed is not None:
                self.progress.done(expected(plan), f"{where}: left out, it has failed before")
                continue
            self.progress.say(where)
            part = _Part(self.progress)
            try:
                self.measure(plan, part, partial(_keep, point))
            except EdgevoiceError as error:
                point.failed = error
                self.progress.say(f"{point.cell.label} is left out: {error}")
            rest = max(0.0, expected(plan) - part.told)
            self.progress.done(rest, f"{where}: {_outcome(point)}")


def _keep(point: SweepPoint, made: BenchResult) -> None:
    whole = made if point.result is None else merged(point.result, made, point.plan.config)
    point.result = whole
    results.write(point.file, whole)


def passes(points: Sequence[SweepPoint]) -> Iterator[tuple[SweepPoint, BenchPlan]]:
    """What is done, in order: all points on half of the questions, and back again on the others.

    Where questions cannot be parted, because they are one conversation or each of them is a start
    or a stage of its own, once through.
    """
    for point in points:
        questions = point.plan.questions
        half = questions[::2] if _parts(point.plan) else questions
        yield point, replace(point.plan, questions=half)
    for point in reversed(points):
        if _parts(point.plan):
            yield point, replace(point.plan, questions=point.plan.questions[1::2])


def _parts(plan: BenchPlan) -> bool:
    return plan.command == "run" and not plan.conversation and len(plan.questions) > 1


def expected(plan: BenchPlan) -> float:
    """Seconds that a plan may be expected to take."""
    if plan.command == "starts":
        return OVERHEAD + EXPECTED * (2 * plan.repeat + 1)
    if plan.command == "stages":
        each = sum(COSTS[stage] for stage in plan.stages)
        return OVERHEAD + each * plan.repeat * len(plan.questions)
    return OVERHEAD + sum(plan.expected(question) for question, _ in plan.asks)


def _outcome(point: SweepPoint) -> str:
    if point.failed is not None:
        return "failed"
    gap = point.result.variants[0].summary.gap if point.result else None
    return "done" if gap is None else f"p50 {gap.p50 * 1000:.0f} ms so far"


class _Part:
    """The progress of one combination within that of all; it begins nothing of its own."""

    def __init__(self, whole: BenchProgress) -> None:
        self._whole = whole
        self.told = 0.0

    def begin(self, what: str, total: float) -> None:
        """Nothing: the whole has begun."""

    def done(self, seconds: float, line: str) -> None:
        self.told += seconds
        self._whole.done(seconds, f"  {line}")

    def say(self, line: str) -> None:
        self._whole.say(f"  {line}")


def file_names(cells: Sequence[Combination]) -> Mapping[int, str]:
    """A name for the file of each combination, which any system takes, in their order."""
    width = len(str(len(cells)))
    return {
        number: f"{number + 1:0{width}}-{_safe(cell.label)}.json"
        for number, cell in enumerate(cells)
    }


def _safe(label: str) -> str:
    joined = label.replace(" (shape)", "-shape").replace(" ", "+")
    return "".join(sign if sign in SAFE else "_" for sign in joined)[:LONGEST_NAME]
