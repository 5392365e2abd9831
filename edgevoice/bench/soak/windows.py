"""A long run cut into pieces: windows for those who read, and medians for those who reckon."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean, median
from typing import TypeVar

import numpy as np

from edgevoice.bench.result.device_record import Sample
from edgevoice.bench.result.result import AS_SET, BenchTurn
from edgevoice.bench.result.soak_record import SoakInterruption, SoakWindow
from edgevoice.bench.statistics.significance import Values
from edgevoice.timings import percentile

LENGTHS = (900.0, 300.0, 60.0, 15.0)
"""Seconds that a window may be long: a quarter of an hour, or less in a short soak."""

LEAST_WINDOWS = 4
"""As many windows at least there should be."""

POINT = 60.0
"""Seconds at least whose samples make one point of a series."""

POINTS = 120
"""As many points at most make a series."""

T = TypeVar("T", int, float)
Take = Callable[[Sample], float | None]


def length(asked_for: float) -> float:
    """How long the windows of a soak of so many seconds are, in seconds."""
    fit = (seconds for seconds in LENGTHS if seconds * LEAST_WINDOWS <= asked_for)
    return next(fit, LENGTHS[-1])


def windows(
    turns: Sequence[BenchTurn],
    samples: Sequence[Sample],
    interruptions: Sequence[SoakInterruption],
    began: float,
    end: float,
    seconds: float,
) -> list[SoakWindow]:
    """What was between session times `began` and `end`, in pieces of `seconds`, the last shorter.

    A turn belongs to the piece in which it was asked. Warm-ups are left out.
    """
    found = []
    many = max(0, math.ceil((end - began) / seconds))

    def place(at: float) -> int:
        # The frame in which a first question begins has begun before it.
        return min(max(0, math.floor((at - began) / seconds)), many - 1)

    for number in range(many):
        start = began + number * seconds
        stop = min(start + seconds, end)
        own = [t for t in turns if place(t.asked_at) == number and not t.warm_up]
        gaps = [
            t.response_time
            for t in own
            if t.counts and t.response_time is not None and t.variant == AS_SET
        ]
        there = [s for s in samples if start <= s.t < stop]
        throttled = [float(s.throttled) for s in there if s.throttled is not None]
        found.append(
            SoakWindow(
                start=round(start - began, 3),
                seconds=round(stop - start, 3),
                turns=len(own),
                answered=sum(t.response_time is not None for t in own),
                interrupted=sum(place(i.t) == number for i in interruptions),
                underruns=sum(t.underruns for t in own),
                p50=percentile(gaps, 0.5),
                p95=percentile(gaps, 0.95),
                rss=round(median(s.rss for s in there)) if there else None,
                threads=max(_known(there, lambda s: s.threads), default=None),
                handles=max(_known(there, lambda s: s.handles), default=None),
                temperature=max(_known(there, lambda s: s.temperature), default=None),
                clock=_mean(_known(there, lambda s: s.clock)),
                throttled=_mean(throttled),
            )
        )
    return found


def series(
    samples: Sequence[Sample], take: Take, start: float, end: float
) -> tuple[Values, Values]:
    """Times in hours since `start` and the medians of what is there, a minute or more apart.

    A piece that is not whole is left out, as is one in which nothing was told.
    """
    step = max(POINT, (end - start) / POINTS)
    pieces: list[list[float]] = [[] for _ in range(max(0, int((end - start) / step + 1e-9)))]
    for sample in samples:
        place = math.floor((sample.t - start) / step)
        value = take(sample)
        if 0 <= place < len(pieces) and value is not None:
            pieces[place].append(value)
    points = [((n + 0.5) * step / 3600, median(piece)) for n, piece in enumerate(pieces) if piece]
    table = np.array(points, dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _known(samples: Iterable[Sample], take: Callable[[Sample], T | None]) -> list[T]:
    return [value for sample in samples if (value := take(sample)) is not None]


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
