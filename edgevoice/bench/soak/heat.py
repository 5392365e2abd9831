"""Whether some turns are slower than others, and whether heat was the reason."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

import numpy as np

from edgevoice.bench.compare.compare import ALPHA, LEAST_TURNS
from edgevoice.bench.result.device_record import Sample
from edgevoice.bench.result.result import AS_SET, BenchTurn
from edgevoice.bench.result.soak_record import SoakFinding, Steadiness
from edgevoice.bench.result.wording import counted
from edgevoice.bench.statistics.significance import Shift, paired, unpaired

LEAST_DRIFT = 0.1  # the smallest change of the response time that matters, as a share
ALWAYS = 0.5  # share of throttled samples from which throttling is bad without turns to compare


@dataclass(frozen=True, slots=True)
class ResponseTimeChange:
    """How much slower the second turns are; `level` is the mean of the first, in seconds."""

    shift: Shift
    level: float

    @property
    def slower(self) -> bool:
        """Beyond chance, and by as much as matters."""
        return self.shift.p < ALPHA and self.shift.change >= LEAST_DRIFT * self.level

    @property
    def may_be_slower(self) -> bool:
        """A change that matters cannot be excluded."""
        return self.shift.high >= LEAST_DRIFT * self.level

    @property
    def told(self) -> str:
        """`30 ms (4 %; 95 % confidence: +10 to +50 ms) longer`."""
        s = self.shift
        change, low, high = (round(v * 1000) for v in (s.change, s.low, s.high))
        share = abs(s.change) / self.level * 100 if self.level else 0.0
        which = "longer" if change > 0 else "shorter"
        return f"{abs(change)} ms ({share:.0f} %; 95 % confidence: {low:+} to {high:+} ms) {which}"


def between(one: Sequence[BenchTurn], other: Sequence[BenchTurn]) -> ResponseTimeChange | None:
    """Compare the response times, by question where both have the same; None with too few."""
    first, second = _by_question(one), _by_question(other)
    shared = [question for question in first if question in second]
    if len(shared) >= LEAST_TURNS and 2 * len(shared) >= min(len(first), len(second)):
        before = np.array([fmean(first[question]) for question in shared])
        after = np.array([fmean(second[question]) for question in shared])
        return ResponseTimeChange(paired(before, after), float(before.mean()))
    before, after = (
        np.array([time for times in side.values() for time in times]) for side in (first, second)
    )
    if min(len(before), len(after)) < LEAST_TURNS:
        return None
    return ResponseTimeChange(unpaired(before, after), float(before.mean()))


def _by_question(turns: Sequence[BenchTurn]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for turn in turns:
        if turn.response_time is not None:
            found.setdefault(turn.question, []).append(turn.response_time)
    return found


def finding(
    name: str, state: Steadiness, text: str, verdict: str = "", **figures: Any
) -> SoakFinding:
    """A check of a soak; `figures` are the other fields."""
    told = f"{name}: {text}"
    return SoakFinding(name=name, state=state, reason=told, verdict=verdict, **figures)


def heat(turns: Sequence[BenchTurn], samples: Sequence[Sample]) -> SoakFinding:
    """Whether the processor was throttled, and turns were slower meanwhile."""
    known = [s for s in samples if s.throttled is not None]
    flags = [bool(sample.throttled) for sample in known]
    degrees = [s.temperature for s in samples if s.temperature is not None]
    if not known and not degrees and all(sample.clock is None for sample in samples):
        text = "temperature, clock and throttling not available on this machine"
        return finding("heat", "unknown", text)
    range_ = f"{min(degrees):.0f} to {max(degrees):.0f} °C" if degrees else "no temperature"
    if not known:
        text = f"{range_}; throttling not available on this machine"
        return finding("heat", "unknown", text)
    if not any(flags):
        return finding("heat", "well", f"{range_}; never throttled", value=0.0)
    share = sum(flags) / len(flags)
    times = sum(now and not was for was, now in zip([False, *flags], flags, strict=False))
    state, why = _effect(turns, [sample.t for sample in known], flags)
    often = f"in {share * 100:.0f} % of the samples, {counted(times, 'time')}"
    text = f"{range_}; throttled {often}; {why}"
    return finding("heat", state, text, "gets hot", value=share, unit="share")


def _effect(
    turns: Sequence[BenchTurn], times: Sequence[float], flags: Sequence[bool]
) -> tuple[Steadiness, str]:
    """Whether turns were slower while it was throttled."""
    slow: list[BenchTurn] = []
    free: list[BenchTurn] = []
    for turn in turns:
        if turn.counts and turn.variant == AS_SET:
            first = bisect_left(times, turn.asked_at)
            last = bisect_left(
                times, turn.asked_at + turn.clip_seconds + (turn.response_time or 0.0)
            )
            (slow if any(flags[first : last + 1]) else free).append(turn)
    found = between(free, slow)
    if found is not None:
        return "bad" if found.slower else "well", f"the response time was {found.told} meanwhile"
    if sum(flags) / len(flags) >= ALWAYS:
        return "bad", "hardly a turn was without"
    return "well", f"{counted(len(slow), 'turn')} meanwhile are too few to matter"


def warmed(samples: Sequence[Sample]) -> str:
    """The course of the temperature, to be added to a sentence; empty where it is not known."""
    degrees = [s.temperature for s in samples if s.temperature is not None]
    if len(degrees) < 2:
        return ""
    tenth = max(1, len(degrees) // 10)
    first, last = median(degrees[:tenth]), median(degrees[-tenth:])
    return f"; temperature went from {first:.0f} to {last:.0f} °C"
