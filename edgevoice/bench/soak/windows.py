"""A long run in pieces: windows for readers, and series of medians for statistics."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean, median

import numpy as np

from edgevoice.bench.result.device_record import Sample
from edgevoice.bench.result.result import AS_SET, BenchTurn
from edgevoice.bench.result.soak_record import SoakInterruption, SoakWindow
from edgevoice.bench.statistics.significance import Values
from edgevoice.timings import percentile

LENGTHS = (900.0, 300.0, 60.0, 15.0)
"""Seconds of a window; the longest of which LEAST_WINDOWS fit is taken."""
LEAST_WINDOWS = 4
POINT = 60.0  # seconds of samples that make a point of a series, at least
POINTS = 120  # points of a series, at most

Take = Callable[[Sample], float | None]


def length(asked_for: float) -> float:
    """The length of the windows of a soak of so many seconds, in seconds."""
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
    """The time between session times `began` and `end` in pieces of `seconds`, the last shorter.

    A turn belongs to the piece in which it was asked. Warm-ups are left out.
    """
    many = max(0, math.ceil((end - began) / seconds))

    def place(at: float) -> int:
        # The frame in which the first question begins is before `began`.
        return min(max(0, math.floor((at - began) / seconds)), many - 1)

    found = []
    for number in range(many):
        start = began + number * seconds
        stop = min(start + seconds, end)
        own = [t for t in turns if place(t.asked_at) == number and not t.warm_up]
        response_times = [
            t.response_time
            for t in own
            if t.counts and t.response_time is not None and t.variant == AS_SET
        ]
        there = [s for s in samples if start <= s.t < stop]
        known = {
            name: [value for s in there if (value := getattr(s, name)) is not None]
            for name in ("rss", "threads", "handles", "temperature", "clock", "throttled")
        }
        found.append(
            SoakWindow(
                start=round(start - began, 3),
                seconds=round(stop - start, 3),
                turns=len(own),
                answered=sum(t.response_time is not None for t in own),
                interrupted=sum(place(i.t) == number for i in interruptions),
                underruns=sum(t.underruns for t in own),
                p50=percentile(response_times, 0.5),
                p95=percentile(response_times, 0.95),
                rss=round(median(known["rss"])) if there else None,
                threads=max(known["threads"], default=None),
                handles=max(known["handles"], default=None),
                temperature=max(known["temperature"], default=None),
                clock=fmean(known["clock"]) if known["clock"] else None,
                throttled=fmean(known["throttled"]) if known["throttled"] else None,
            )
        )
    return found


def series(
    samples: Sequence[Sample], take: Take, start: float, end: float
) -> tuple[Values, Values]:
    """Times in hours since `start` and the medians of the values there, a minute or more apart.

    An incomplete piece is left out, and one without values.
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
