"""Whether heat slowed a soak down: throttling, or a clock that fell while it became warmer."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from edgevoice.bench.result.device_record import Sample
from edgevoice.bench.result.result import AS_SET, BenchTurn
from edgevoice.bench.result.soak_record import SoakFinding, State
from edgevoice.bench.result.wording import counted
from edgevoice.bench.soak.drift import between
from edgevoice.timings import percentile

LIMIT = 0.9
"""A clock below this share of the best that was held for long is held back."""

HELD = 0.9
"""The best that was held for long is this quantile of the clocks."""

SMOOTH = 30.0
"""Seconds over which a clock is averaged: between two questions it falls by itself."""

WARMER = 2.0
"""Degrees by which it must be warmer while the clock is held back, for that to be the heat's."""

ALWAYS = 0.5
"""Share of the samples from which on it is held back for most of the time."""


@dataclass(frozen=True, slots=True)
class _Held:
    """By what is known that the processor was held back, and in which samples it was."""

    how: str
    flags: Sequence[bool]

    @property
    def share(self) -> float:
        return sum(self.flags) / len(self.flags)

    @property
    def times(self) -> int:
        """How often it began."""
        before = [False, *self.flags[:-1]]
        return sum(now and not was for was, now in zip(before, self.flags, strict=True))


def heat(turns: Sequence[BenchTurn], samples: Sequence[Sample]) -> SoakFinding:
    """Whether the processor was held back, and turns were slower meanwhile."""
    name = "heat"
    if not any((s.temperature, s.clock, s.throttled) != (None, None, None) for s in samples):
        told = "temperature, clock and throttling not available on this machine"
        return SoakFinding(name=name, state="unknown", reason=f"{name}: {told}")
    known = [s for s in samples if s.throttled is not None]
    held = _Held("throttled", [bool(s.throttled) for s in known]) if known else None
    if held is None:
        known = [s for s in samples if s.clock is not None and s.temperature is not None]
        held = _slowed(known)
    range_ = _range(samples)
    if held is None:
        told = "whether it was throttled is not available on this machine"
        return SoakFinding(name=name, state="unknown", reason=f"{name}: {range_}; {told}")
    if not any(held.flags):
        return SoakFinding(
            name=name, state="well", reason=f"{name}: {range_}; never {held.how}", value=0.0
        )
    told = (
        f"{name}: {range_}; {held.how} in {held.share * 100:.0f} % of the samples, "
        f"{counted(held.times, 'time')}"
    )
    state, why = _felt(turns, known, held)
    return SoakFinding(
        name=name,
        state=state,
        reason=f"{told}; {why}",
        verdict="gets hot",
        value=held.share,
        unit="share",
    )


def _felt(turns: Sequence[BenchTurn], samples: Sequence[Sample], held: _Held) -> tuple[State, str]:
    """Whether turns were slower while it was held back."""
    times = [sample.t for sample in samples]
    slow: list[BenchTurn] = []
    free: list[BenchTurn] = []
    for turn in turns:
        if not turn.counts or turn.variant != AS_SET:
            continue
        first = bisect_left(times, turn.asked_at)
        last = bisect_left(times, turn.asked_at + turn.clip_seconds + (turn.response_time or 0.0))
        (slow if any(held.flags[first : last + 1]) else free).append(turn)
    found = between(free, slow)
    if found is None:
        if held.share >= ALWAYS:
            return "bad", "hardly a turn was without"
        return "well", f"{counted(len(slow), 'turn')} meanwhile are too few to matter"
    return ("bad" if found.slower else "well"), f"the gap was {found.told} meanwhile"


def _slowed(samples: Sequence[Sample]) -> _Held | None:
    """Where the clock fell for its heat; None where clock or temperature are not known."""
    clocks, start = [], 0
    for end, sample in enumerate(samples):
        while sample.t - samples[start].t > SMOOTH:
            start += 1
        clocks.append(fmean(s.clock or 0.0 for s in samples[start : end + 1]))
    best = percentile(clocks, HELD)
    if best is None:
        return None
    low = [clock < LIMIT * best for clock in clocks]
    there = [[s.temperature or 0.0 for s, is_low in zip(samples, low, strict=True) if is_low is w]
             for w in (True, False)]  # fmt: skip
    if not there[0] or not there[1] or median(there[0]) < median(there[1]) + WARMER:
        return _Held("slowed by heat", [False] * len(samples))
    return _Held("slowed by heat", low)


def warmed(samples: Sequence[Sample]) -> str:
    """How temperature went meanwhile, to be added to a sentence; empty where it is not known."""
    told = [s.temperature for s in samples if s.temperature is not None]
    if len(told) < 2:
        return ""
    tenth = max(1, len(told) // 10)
    first, last = median(told[:tenth]), median(told[-tenth:])
    return f"; temperature went from {first:.0f} to {last:.0f} °C"


def _range(samples: Sequence[Sample]) -> str:
    told = [s.temperature for s in samples if s.temperature is not None]
    return f"{min(told):.0f} to {max(told):.0f} °C" if told else "temperature not available"
