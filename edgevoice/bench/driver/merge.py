"""Joins two results of the same plan."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from msgspec.structs import replace

from edgevoice.bench.result.device_record import Roofline, Sample
from edgevoice.bench.result.result import AS_SET, BASELINE, BenchResult, BenchTurn, Variant
from edgevoice.bench.result.summary import ratio, summarize
from edgevoice.bench.roofline.roofline import MachineLimits, roofline
from edgevoice.settings import Config


def merged(first: BenchResult, second: BenchResult, config: Config) -> BenchResult:
    """The turns of both. Times of `second` are moved by the time between the two starts.

    Memory is the greater of the two. The machine and its load before are those of `first`.
    """
    begun = [datetime.datetime.fromisoformat(each.started) for each in (first, second)]
    later = (begun[1] - begun[0]).total_seconds()
    turns = (
        *first.turns,
        *(replace(turn, asked_at=round(turn.asked_at + later, 3)) for turn in second.turns),
    )
    names = [variant.name for variant in first.variants]
    own = {name: [turn for turn in turns if turn.variant == name] for name in names}
    both = BASELINE in own and AS_SET in own
    steady = [rss for rss in (first.steady_rss, second.steady_rss) if rss is not None]
    return replace(
        first,
        seconds=round(first.seconds + second.seconds, 1),
        interrupted=first.interrupted or second.interrupted,
        left_out=tuple(dict.fromkeys([*first.left_out, *second.left_out])),
        machine=replace(first.machine, load_after=second.machine.load_after),
        peak_rss=max(first.peak_rss, second.peak_rss),
        steady_rss=max(steady, default=None),
        variants=tuple(
            Variant(name=v.name, settings=v.settings, summary=summarize(own[v.name]))
            for v in first.variants
        ),
        ratio=ratio(own[AS_SET], own[BASELINE]) if both else None,
        turns=turns,
        idle=second.idle or first.idle,
        roofline=_roofline(first, config, own[names[0]]) if names else None,
        samples=(*first.samples, *_after(first.samples, second.samples, later)),
    )


def _roofline(result: BenchResult, config: Config, turns: Sequence[BenchTurn]) -> Roofline | None:
    known = result.roofline
    if known is None:
        return None
    limits = MachineLimits(known.memory, known.float32, known.int8, known.cache)
    return roofline(config, limits, {role: m.name for role, m in result.models.items()}, turns)


def _after(before: Sequence[Sample], samples: Sequence[Sample], later: float) -> Sequence[Sample]:
    """`samples` of another process, with counters that continue those `before`."""
    if not before:
        return samples
    last = before[-1]
    return [
        replace(
            sample,
            t=round(sample.t + later, 3),
            cpu_seconds=round(sample.cpu_seconds + last.cpu_seconds, 3),
            other_cpu_seconds=None
            if sample.other_cpu_seconds is None or last.other_cpu_seconds is None
            else round(sample.other_cpu_seconds + last.other_cpu_seconds, 2),
            energy=None
            if sample.energy is None or last.energy is None
            else round(sample.energy + last.energy, 3),
        )
        for sample in samples
    ]
