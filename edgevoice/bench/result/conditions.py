"""What spoils the figures of a result: a busy machine, its governor, throttling."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from edgevoice.bench.result.device_record import Sample
from edgevoice.bench.result.result import BenchResult
from edgevoice.bench.result.wording import wrapped

BUSY_SHARE = 0.1
"""Share of the processor that other programs may use before figures are doubted."""
APART = 60.0
"""Seconds; between samples that are further apart nothing was measured."""
SLOW_GOVERNORS = ("powersave", "conservative")


def conditions(result: BenchResult, name: str = "figures") -> list[str]:
    """A warning for each condition, to be shown beside the figures; none on a quiet machine.

    `name` is what the figures are of.
    """
    found = []
    share = used_by_others(result.samples, result.machine.logical_cores)
    # Windows does not tell a program what the processes that it started have used.
    unknown = bool(result.starts) and result.machine.system.startswith("Windows")
    if share is not None and share >= BUSY_SHARE and not unknown:
        found.append(f"other programs used {share * 100:.0f} % of the processor meanwhile")
    found += [
        f"the CPU governor {governor} may keep the clock low"
        for governor in (result.machine.governor or "").split(", ")
        if governor in SLOW_GOVERNORS
    ]
    known = [sample.throttled for sample in result.samples if sample.throttled is not None]
    if any(known):
        share = sum(known) / len(known) * 100
        found.append(f"the processor was throttled for {share:.0f} % of the time")
    return [line for text in found for line in wrapped(f"! {name} may be slow: {text}")]


def used_by_others(samples: Sequence[Sample], cores: int) -> float | None:
    """The share of all `cores` that other programs used, 0 to 1; None where it was not measured."""
    pairs = [
        (after.other_cpu_seconds - before.other_cpu_seconds, after.t - before.t)
        for before, after in pairwise(samples)
        if before.other_cpu_seconds is not None
        and after.other_cpu_seconds is not None
        and after.t - before.t <= APART
    ]
    whole = sum(seconds for _, seconds in pairs) * cores
    return min(1.0, max(0.0, sum(busy for busy, _ in pairs) / whole)) if whole > 0 else None
