"""Soaks that never were: hours of turns and samples drawn at random, for tests of the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from edgevoice.bench.result.device_record import Sample
from edgevoice.bench.result.result import AS_SET, BenchTurn
from edgevoice.bench.result.soak_record import Soak, SoakFinding, SoakInterruption
from edgevoice.bench.soak.steadiness import judged

Course = Callable[[float], float]
"""A quantity by the hours that have passed."""

APART = 9.0
"""Seconds from one question to the next."""

BEGAN = 20.0
"""Session time at which the first question is asked."""


def samples(
    hours: float,
    rss: Course = lambda h: 1e9,
    *,
    seed: int = 1,
    noise: float = 1e6,
    **others: Callable[[float], Any],
) -> list[Sample]:
    """One every three seconds; `rss` in bytes with `noise`, and whatever else by its name."""
    rng = np.random.default_rng(seed)
    made = []
    for t in map(float, np.arange(0.0, hours * 3600 + BEGAN, 3.0)):
        h = (t - BEGAN) / 3600
        told = {"threads": 14, "handles": 8, **{name: take(h) for name, take in others.items()}}
        size = int(rss(h) + noise * rng.standard_normal())
        made.append(Sample(t=t, rss=size, cpu_seconds=0.5 * t, **told))
    return made


def turns(
    hours: float, slower: Course = lambda h: 1.0, *, seed: int = 1, questions: int = 40
) -> list[BenchTurn]:
    """Questions over and over, some harder than others; `slower` multiplies their response time."""
    hard = np.random.default_rng(0).lognormal(0.0, 0.3, questions)
    rng = np.random.default_rng(seed)
    made = [
        BenchTurn(
            variant=AS_SET,
            question="to warm up",
            warm_up=True,
            response_time=9.0,
            asked_at=BEGAN - 9,
        )
    ]
    for number in range(int(hours * 3600 / APART)):
        at = number * APART
        response_time = (
            0.8 * hard[number % questions] * rng.lognormal(0.0, 0.12) * slower(at / 3600)
        )
        made.append(
            BenchTurn(
                variant=AS_SET,
                question=f"question {number % questions}",
                asked_at=BEGAN + at,
                clip_seconds=2.0,
                response_time=float(response_time),
            )
        )
    return made


def soak(
    hours: float,
    made: Sequence[BenchTurn] | None = None,
    sampled: Sequence[Sample] | None = None,
    interruptions: Sequence[SoakInterruption] = (),
    every: int = 0,
) -> Soak:
    """The verdict on these turns and samples; what is not given is steady."""
    return judged(
        turns(hours) if made is None else made,
        samples(hours) if sampled is None else sampled,
        interruptions,
        asked_for=hours * 3600,
        began=BEGAN,
        ended=BEGAN + hours * 3600,
        interrupt_every=every,
    )


def finding(made: Soak, name: str) -> SoakFinding:
    """What was found of one thing."""
    return next(found for found in made.findings if found.name == name)
