"""The verdict on a soak, and its reasons: whether speed, memory and answers stayed as they were.

soak-2026-11 explains the checks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from edgevoice.bench.result.device_record import Sample
from edgevoice.bench.result.result import AS_SET, BenchTurn
from edgevoice.bench.result.soak_record import Soak, SoakFinding, SoakInterruption, Steadiness
from edgevoice.bench.result.wording import counted
from edgevoice.bench.soak import windows as cut
from edgevoice.bench.soak.heat import LEAST_DRIFT, between, finding, heat, warmed
from edgevoice.bench.statistics.slopes import LEAST_POINTS, growth
from edgevoice.timings import percentile

STEADY_VERDICT = "steady"
TOO_SHORT = "too short to tell"

WARM_UP, MOST_WARM_UP = 1 / 6, 1800.0
"""Memory may grow in this share of the soak, and in no more than so many seconds."""
MB = 1e6
LEAK = 10.0  # MB per hour; the bench's own notes take about one
COUNT_LEAK, GROWN = 2.0, 3.0
"""Threads or handles per hour, and in all, from which their growth is a leak."""
UNDERRUNS_PER_TURN = 0.01  # underruns per turn that do not matter
NAMED = 3  # questions that are named in a reason


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
        _response_time(measured, meanwhile),
        heat(measured, meanwhile),
        _answers(measured),
        _sound(measured),
        _interruptions(interruptions, interrupt_every),
    )
    verdict = ", ".join(one.verdict for one in findings if one.state == "bad")
    unclear = any(one.state == "unclear" for one in findings)
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
        return finding(name, "unknown", "not available on this machine")
    leak, least = (LEAK, -math.inf) if name == "memory" else (COUNT_LEAK, GROWN)
    start = began + min(MOST_WARM_UP, WARM_UP * (ended - began))
    times, values = cut.series(samples, take, start, ended)
    found = growth(times, values, leak)
    if found is None:
        text = (
            f"measured for {counted(len(values), 'minute')} after the warm-up; "
            f"it takes {LEAST_POINTS} to tell whether it grows"
        )
        return finding(name, "unclear", text)
    slope = found.slope
    text = (
        f"{known[-1]:.0f}{unit} in the end, {slope.value:+.1f}{unit} an hour "
        f"(95 % confidence: {slope.low:+.1f} to {slope.high:+.1f})"
    )
    state: Steadiness = "well"
    matters = slope.value * (ended - began) / 3600 >= least
    if found.course == "grows" and matters:
        state, text = "bad", f"{text}, and it grew to the end"
    elif found.course == "unclear" and matters:
        state = "unclear"
        text += f": {leak:g}{unit} an hour or more cannot be ruled out in so short a time"
    elif slope.low > 0 and slope.value >= leak:
        text += ", but not to the end"
    figures = {"value": slope.value, "low": slope.low, "high": slope.high}
    return finding(name, state, text, f"leaks {name}", **figures, unit=f"{unit.strip()}/h")


def _response_time(turns: Sequence[BenchTurn], samples: Sequence[Sample]) -> SoakFinding:
    """Whether the last third of the turns is slower than the first."""
    counting = [turn for turn in turns if turn.counts and turn.variant == AS_SET]
    third = len(counting) // 3
    found = between(counting[:third], counting[len(counting) - third :])
    if found is None:
        text = f"{counted(len(counting), 'answer')} are too few to compare early and late ones"
        return finding("response time", "unclear", text)
    text = f"in the last third {found.told} than in the first"
    state: Steadiness = "well"
    if found.slower:
        state, text = "bad", text + warmed(samples)
    elif found.may_be_slower:
        state = "unclear"
        text += f": {LEAST_DRIFT * 100:.0f} % or more cannot be ruled out with so few turns"
    shift = found.shift
    figures = {"value": shift.change, "low": shift.low, "high": shift.high, "p": shift.p}
    return finding("response time", state, text, "slows down", **figures, unit="s")


def _answers(turns: Sequence[BenchTurn]) -> SoakFinding:
    """Whether questions were missed; one that is never answered says nothing about time."""
    asked: dict[str, list[BenchTurn]] = {}
    for turn in turns:
        asked.setdefault(turn.question, []).append(turn)
    never = [
        q for q, own in asked.items() if len(own) > 1 and all(t.response_time is None for t in own)
    ]
    missed = [turn for turn in turns if turn.response_time is None and turn.question not in never]
    answered = sum(turn.response_time is not None for turn in turns)
    text = f"{answered} of {counted(len(turns), 'question')}"
    if never:
        text += f"; never, and so not for the time it took: {_some(never)}"
    if missed:
        text += f"; not to {_some([f'{t.question} ({t.dropped})' for t in missed])}"
    state: Steadiness = "bad" if missed else "well" if turns else "unclear"
    many = float(len(missed))
    return finding("answers", state, text, "misses questions", value=many, unit="turns")


def _sound(turns: Sequence[BenchTurn]) -> SoakFinding:
    underruns = sum(turn.underruns for turn in turns)
    state: Steadiness = "bad" if underruns > UNDERRUNS_PER_TURN * len(turns) else "well"
    text = f"the speaker ran dry {counted(underruns, 'time')} within a reply"
    return finding("sound", state, text, "breaks up", value=float(underruns), unit="times")


def _interruptions(found: Sequence[SoakInterruption], every: int) -> SoakFinding:
    tried = [each for each in found if each.outcome != "late"]
    late = len(found) - len(tried)
    over = f"{late} {'reply' if late == 1 else 'replies'} over too soon"
    if not tried:
        why = "none were asked for" if not every else f"none could be tried ({over})"
        return finding("interruptions", "unknown", why)
    stopped = [each for each in tried if each.outcome == "stopped"]
    failed = [
        f"{each.question} went on under {each.by}"
        if each.outcome == "missed"
        else f"{each.by} was not answered"
        for each in tried
        if each.outcome == "missed" or not each.answered
    ]
    text = f"{len(stopped)} of {len(tried)} stopped the reply"
    took = [each.silent_after for each in stopped if each.silent_after is not None]
    if took:
        p95 = percentile(took, 0.95) or 0.0
        text += f", {median(took) * 1000:.0f} ms (p95 {p95 * 1000:.0f}) after the first word began"
    text += f", {sum(each.answered for each in tried)} were answered"
    text += f"; {over}" if late else ""
    text += f"; failed: {_some(failed)}" if failed else ""
    state: Steadiness = "bad" if failed else "well"
    figures = {"value": float(len(failed)), "unit": "times"}
    return finding("interruptions", state, text, "misses interruptions", **figures)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
