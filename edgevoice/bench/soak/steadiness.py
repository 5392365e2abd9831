"""The verdict on a soak, and its reasons: whether speed, memory and answers stayed as they were.

soak-2026-11 explains the checks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from edgevoice.bench.result.device_record import Sample
from edgevoice.bench.result.result import AS_SET, BenchTurn
from edgevoice.bench.result.soak_record import Soak, SoakFinding, SoakInterruption, State
from edgevoice.bench.result.wording import counted
from edgevoice.bench.soak import windows as cut
from edgevoice.bench.soak.heat import LEAST_DRIFT, between, heat, warmed
from edgevoice.bench.statistics.slopes import LEAST_POINTS, growth
from edgevoice.timings import percentile

STEADY_VERDICT = "steady"
TOO_SHORT = "too short to tell"

WARM_UP, MOST_WARM_UP = 1 / 6, 1800.0
"""Memory may grow in this share of the soak, and in no more than so many seconds."""
MB = 1e6
LEAK = 10.0
"""MB per hour; the bench's own notes take about one."""
COUNT_LEAK, GROWN = 2.0, 3.0
"""Threads or handles per hour, and in all, from which their growth is a leak."""
UNDERRUNS = 0.01
"""Underruns per turn that do not matter."""
NAMED = 3
"""Questions that are named in a reason."""


def judged(
    turns: Sequence[BenchTurn],
    samples: Sequence[Sample],
    interruptions: Sequence[SoakInterruption],
    *,
    asked_for: float,
    began: float,
    ended: float,
    interrupt_every: int,
) -> Soak:
    """The whole soak: from session time `began` to `ended`, of `asked_for` seconds wanted."""
    measured = [turn for turn in turns if not turn.warm_up]
    meanwhile = [sample for sample in samples if began <= sample.t <= ended]
    findings = (
        _growth("memory", " MB", lambda s: s.rss / MB, meanwhile, began, ended),
        _growth("threads", "", lambda s: s.threads, meanwhile, began, ended),
        _growth("handles", "", lambda s: s.handles, meanwhile, began, ended),
        _gap(measured, meanwhile),
        heat(measured, meanwhile),
        _answers(measured),
        _sound(measured),
        _interruptions(interruptions, interrupt_every),
    )
    verdict = ", ".join(finding.verdict for finding in findings if finding.state == "bad")
    unclear = any(finding.state == "unclear" for finding in findings)
    seconds = cut.length(asked_for)
    return Soak(
        verdict=verdict or (TOO_SHORT if unclear else STEADY_VERDICT),
        asked_for=round(asked_for, 3),
        ran=round(ended - began, 3),
        began=round(began, 3),
        interrupt_every=interrupt_every,
        window=seconds,
        windows=tuple(cut.windows(turns, samples, interruptions, began, ended, seconds)),
        interruptions=tuple(interruptions),
        findings=findings,
    )


def _growth(
    name: str, unit: str, take: cut.Take, samples: Sequence[Sample], began: float, ended: float
) -> SoakFinding:
    """Whether it grew after the warm-up, by as much as a leak."""
    known = [value for sample in samples if (value := take(sample)) is not None]
    if samples and not known:
        told = f"{name}: not available on this machine"
        return SoakFinding(name=name, state="unknown", told=told)
    leak, least = (LEAK, -math.inf) if name == "memory" else (COUNT_LEAK, GROWN)
    start = began + min(MOST_WARM_UP, WARM_UP * (ended - began))
    times, values = cut.series(samples, take, start, ended)
    found = growth(times, values, leak)
    if found is None:
        told = (
            f"{name}: measured for {counted(len(values), 'minute')} after the warm-up; "
            f"it takes {LEAST_POINTS} to tell whether it grows"
        )
        return SoakFinding(name=name, state="unclear", told=told)
    slope = found.slope
    told = (
        f"{name}: {known[-1]:.0f}{unit} in the end, {slope.value:+.1f}{unit} an hour "
        f"(95 % confidence: {slope.low:+.1f} to {slope.high:+.1f})"
    )
    state: State = "well"
    matters = slope.value * (ended - began) / 3600 >= least
    if found.course == "grows" and matters:
        state, told = "bad", f"{told}, and it grew to the end"
    elif found.course == "unclear" and matters:
        state = "unclear"
        told += f": {leak:g}{unit} an hour or more cannot be ruled out in so short a time"
    elif slope.low > 0 and slope.value >= leak:
        told += ", but not to the end"
    return SoakFinding(
        name=name,
        state=state,
        told=told,
        verdict=f"leaks {name}",
        value=slope.value,
        low=slope.low,
        high=slope.high,
        unit=f"{unit.strip()}/h",
    )


def _gap(turns: Sequence[BenchTurn], samples: Sequence[Sample]) -> SoakFinding:
    """Whether the last third of the turns is slower than the first."""
    counting = [turn for turn in turns if turn.counts and turn.variant == AS_SET]
    third = len(counting) // 3
    found = between(counting[:third], counting[len(counting) - third :])
    if found is None:
        told = f"gap: {counted(len(counting), 'answer')} are too few to compare early and late ones"
        return SoakFinding(name="gap", state="unclear", told=told)
    told = f"gap: in the last third {found.told} than in the first"
    state: State = "well"
    if found.slower:
        state, told = "bad", told + warmed(samples)
    elif found.may_be_slower:
        state = "unclear"
        told += f": {LEAST_DRIFT * 100:.0f} % or more cannot be ruled out with so few turns"
    return SoakFinding(
        name="gap",
        state=state,
        told=told,
        verdict="slows down",
        value=found.shift.change,
        low=found.shift.low,
        high=found.shift.high,
        unit="s",
        p=found.shift.p,
    )


def _answers(turns: Sequence[BenchTurn]) -> SoakFinding:
    """Whether questions were missed; one that is never answered says nothing about time."""
    asked: dict[str, list[BenchTurn]] = {}
    for turn in turns:
        asked.setdefault(turn.question, []).append(turn)
    never = [q for q, own in asked.items() if len(own) > 1 and all(t.gap is None for t in own)]
    missed = [turn for turn in turns if turn.gap is None and turn.question not in never]
    answered = sum(turn.gap is not None for turn in turns)
    told = f"answers: {answered} of {counted(len(turns), 'question')}"
    if never:
        told += f"; never, and so not for the time it took: {_some(never)}"
    if missed:
        told += f"; not to {_some([f'{t.question} ({t.dropped})' for t in missed])}"
    return SoakFinding(
        name="answers",
        state="bad" if missed else "well" if turns else "unclear",
        told=told,
        verdict="misses questions",
        value=float(len(missed)),
        unit="turns",
    )


def _sound(turns: Sequence[BenchTurn]) -> SoakFinding:
    underruns = sum(turn.underruns for turn in turns)
    return SoakFinding(
        name="sound",
        state="bad" if underruns > UNDERRUNS * len(turns) else "well",
        told=f"sound: the speaker ran dry {counted(underruns, 'time')} within a reply",
        verdict="breaks up",
        value=float(underruns),
        unit="times",
    )


def _interruptions(found: Sequence[SoakInterruption], every: int) -> SoakFinding:
    name = "interruptions"
    tried = [each for each in found if each.outcome != "late"]
    late = len(found) - len(tried)
    over = f"{late} {'reply' if late == 1 else 'replies'} over too soon"
    if not tried:
        why = "none were asked for" if not every else f"none could be tried ({over})"
        return SoakFinding(name=name, state="unknown", told=f"{name}: {why}")
    stopped = [each for each in tried if each.outcome == "stopped"]
    failed = [
        f"{each.question} went on under {each.by}"
        if each.outcome == "missed"
        else f"{each.by} was not answered"
        for each in tried
        if each.outcome == "missed" or not each.answered
    ]
    told = f"{name}: {len(stopped)} of {len(tried)} stopped the reply"
    took = [each.silent_after for each in stopped if each.silent_after is not None]
    if took:
        p95 = percentile(took, 0.95) or 0.0
        told += f", {median(took) * 1000:.0f} ms (p95 {p95 * 1000:.0f}) after the first word began"
    told += f", {sum(each.answered for each in tried)} were answered"
    told += f"; {over}" if late else ""
    told += f"; failed: {_some(failed)}" if failed else ""
    return SoakFinding(
        name=name,
        state="bad" if failed else "well",
        told=told,
        verdict="misses interruptions",
        value=float(len(failed)),
        unit="times",
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
