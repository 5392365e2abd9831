"""A sweep: every combination in a process of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgevoice.bench.driver.plan import BenchPlan
from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.bench.jobs.worker import Worker
from edgevoice.bench.matrix.axes import Combination
from edgevoice.bench.result import result as results
from edgevoice.bench.result.result import BenchResult
from edgevoice.bench.stages.cold_start import EXPECTED
from edgevoice.bench.stages.stages import COSTS
from edgevoice.errors import EdgevoiceError

OVERHEAD = 20.0  # seconds that a process is expected to take beside its questions
LONGEST_FILE_NAME = 100  # characters of a file's name

Kept = Callable[[BenchResult], None]
"""Takes the result, or the part of it that there is."""
MeasurePlan = Callable[[BenchPlan, BenchProgress, Kept], None]
"""Measures a plan. Raises its error after it has handed over."""


@dataclass
class SweepPoint:
    """A combination, its plan, and its result or error."""

    cell: Combination
    plan: BenchPlan
    file: Path
    result: BenchResult | None = None
    failed: EdgevoiceError | None = None

    def keep(self, made: BenchResult) -> None:
        """Keep the result, and write it."""
        self.result = made
        results.write(self.file, self.result)

    @property
    def outcome(self) -> str:
        response_time = self.result.variants[0].summary.response_time if self.result else None
        done = "done" if response_time is None else f"p50 {response_time.p50 * 1000:.0f} ms"
        return "failed" if self.failed else done


def elsewhere(plan: BenchPlan, progress: BenchProgress, keep: Kept) -> None:
    """Measure the plan in another process."""
    process = Worker[BenchResult](plan)
    try:
        process.run(progress)
    finally:
        if process.made is not None:
            keep(process.made)


@dataclass
class Sweep:
    """Measures all `points`; each one's file is written as soon as there is a result."""

    points: Sequence[SweepPoint]
    progress: BenchProgress
    measure: MeasurePlan = elsewhere

    def run(self) -> None:
        """Measure everything. A combination that fails is reported, and the next one begins.

        Raises whatever interrupts it; the results until then are in the points.
        """
        total = sum(expected(point.plan) for point in self.points)
        self.progress.begin(f"{len(self.points)} combinations", total)
        for number, point in enumerate(self.points, 1):
            where = f"[{number}/{len(self.points)}] {point.cell.label}"
            self.progress.say(where)
            part = _Part(self.progress)
            try:
                self.measure(point.plan, part, point.keep)
            except EdgevoiceError as error:
                point.failed = error
                self.progress.say(f"{point.cell.label} is left out: {error}")
            rest = max(0.0, expected(point.plan) - part.seconds)
            self.progress.done(rest, f"{where}: {point.outcome}")


def expected(plan: BenchPlan) -> float:
    """Seconds that a plan is expected to take."""
    if plan.command == "starts":
        return OVERHEAD + EXPECTED * (2 * plan.repeat + 1)
    if plan.command == "stages":
        each = sum(COSTS[stage] for stage in plan.stages)
        return OVERHEAD + each * plan.repeat * len(plan.questions)
    return OVERHEAD + sum(plan.expected(question) for question, _ in plan.asks)


class _Part:
    """The progress of one combination within that of all."""

    def __init__(self, whole: BenchProgress) -> None:
        self._whole = whole
        self.seconds = 0.0

    def begin(self, what: str, total: float) -> None:
        """Nothing: the whole has begun."""

    def done(self, seconds: float, line: str) -> None:
        self.seconds += seconds
        self._whole.done(seconds, f"  {line}")

    def say(self, line: str) -> None:
        self._whole.say(f"  {line}")


def file_names(cells: Sequence[Combination]) -> Mapping[int, str]:
    """A file name for each combination that any system accepts, in order."""
    width = len(str(len(cells)))
    names = (cell.label.replace(" (shape)", "-shape").replace(" ", "+") for cell in cells)
    return {
        n: f"{n + 1:0{width}}-{re.sub(r'[^A-Za-z0-9.=_+-]', '_', name)[:LONGEST_FILE_NAME]}.json"
        for n, name in enumerate(names)
    }
