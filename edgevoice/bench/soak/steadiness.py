"""Turns, samples and interruptions of a soak → whether all went on as it began, and the reasons.

soak-2026-11 says in plain words what is reckoned here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from edgevoice.bench.result.device_record import Sample
from edgevoice.bench.result.result import AS_SET, BenchTurn
from edgevoice.bench.result.soak_record import Soak, SoakFinding, SoakInterruption, State
from edgevoice.bench.result.wording import counted
from edgevoice.bench.soak import windows as cut
from edgevoice.bench.soak.drift import LEAST_DRIFT, between
from edgevoice.bench.soak.heat import heat, warmed
from edgevoice.bench.statistics.slopes import LEAST_POINTS, Growth, growth
from edgevoice.timings import percentile

STEADY_VERDICT = "steady"
TOO_SHORT = "too short to tell"

WARM_UP = 1 / 6
"""Share of the soak in which memory may still grow, and no more than MOST_WARM_UP seconds."""
MOST_WARM_UP = 1800.0

MB = 1e6
LEAK = 10.0
"""MB an hour from which on growing memory is a leak; the bench's own notes take about one."""

COUNT_LEAK = 2.0
"""Threads or handles an hour from which on their growth is a leak, if it comes to GROWN."""
GROWN = 3.0

UNDERRUNS = 0.01
"""Underruns a turn that do not matter: one in a hundred turns."""

NAMED = 3
"""As many questions are named in a reason."""


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
        _memory(meanwhile, began, ended),
        _count("threads", lambda s: s.threads, meanwhile, began, ended),
        _count("handles", lambda s: s.handles, meanwhile, began, ended),
        _gap(measured, meanwhile),
        heat(measured, meanwhile),
        _answers(measured),
        _sound(measured),
        _interruptions(interruptions, interrupt_every),
    )
    seconds = cut.length(asked_for)
    return Soak(
        verdict=verdict(findings),
        asked_for=round(asked_for, 3),
        ran=round(ended - began, 3),
        began=round(began, 3),
        interrupt_every=interrupt_every,
        window=seconds,
        windows=tuple(cut.windows(turns, samples, interruptions, began, ended, seconds)),
        interruptions=tuple(interruptions),
        findings=findings,
    )


def verdict(findings: Sequence[SoakFinding]) -> str:
    """What is wrong, with commas; else whether the time was too short to say that nothing is."""
    if wrong := [finding.verdict for finding in findings if finding.state == "bad"]:
        return ", ".join(wrong)
    return TOO_SHORT if any(f.state == "unclear" for f in findings) else STEADY_VERDICT


def _memory(samples: Sequence[Sample], began: float, ended: float) -> SoakFinding:
    found = _grown(lambda s: s.rss / MB, samples, began, ended, LEAK)
    if isinstance(found, str):
        return SoakFinding(name="memory", state="unclear", reason=f"memory: {found}")
    slope = found.slope
    told = (
        f"memory: {samples[-1].rss / MB:.0f} MB in the end, {slope.value:+.1f} MB an hour "
        f"(95 % sure: {slope.low:+.1f} to {slope.high:+.1f})"
    )
    state: State = "well"
    if found.course == "grows":
        state = "bad"
        told += ", and it grew to the end"
    elif found.course == "unclear":
        state = "unclear"
        told += f": {LEAK:g} MB an hour or more cannot be ruled out in so short a time"
    elif slope.low > 0 and slope.value >= LEAK:
        told += ", but it did not go on growing in the second half"
    return SoakFinding(
        name="memory",
        state=state,
        reason=told,
        verdict="leaks memory",
        value=slope.value,
        low=slope.low,
        high=slope.high,
        unit="MB/h",
    )


def _count(
    name: str,
    take: Callable[[Sample], int | None],
    samples: Sequence[Sample],
    began: float,
    ended: float,
) -> SoakFinding:
    known = [value for sample in samples if (value := take(sample)) is not None]
    if samples and not known:
        return SoakFinding(
            name=name, state="unknown", reason=f"{name}: not available on this machine"
        )
    found = _grown(take, samples, began, ended, COUNT_LEAK)
    if isinstance(found, str):
        return SoakFinding(name=name, state="unclear", reason=f"{name}: {found}")
    slope = found.slope
    grown = slope.value * (ended - began) / 3600
    told = f"{name}: {known[-1]} in the end, {slope.value:+.1f} an hour"
    state: State = "well"
    if found.course == "grows" and grown >= GROWN:
        state = "bad"
        told += f" (95 % sure: {slope.low:+.1f} to {slope.high:+.1f}), and it grew to the end"
    elif found.course == "unclear" and grown >= GROWN:
        state = "unclear"
        told += f" (95 % sure: {slope.low:+.1f} to {slope.high:+.1f}), which may be chance"
    return SoakFinding(
        name=name,
        state=state,
        reason=told,
        verdict=f"leaks {name}",
        value=slope.value,
        low=slope.low,
        high=slope.high,
        unit="/h",
    )


def _grown(
    take: cut.Take, samples: Sequence[Sample], began: float, ended: float, least: float
) -> Growth | str:
    """How it grew after the warm-up; or, in words, that there is too little to tell."""
    start = began + min(MOST_WARM_UP, WARM_UP * (ended - began))
    times, values = cut.series(samples, take, start, ended)
    found = growth(times, values, least)
    if found is not None:
        return found
    return (
        f"measured for {counted(len(values), 'minute')} after the warm-up; "
        f"it takes {LEAST_POINTS} to tell whether it grows"
    )


def _gap(turns: Sequence[BenchTurn], samples: Sequence[Sample]) -> SoakFinding:
    """Whether the last third of the turns is slower than the first."""
    counting = [turn for turn in turns if turn.counts and turn.variant == AS_SET]
    third = len(counting) // 3
    found = between(counting[:third], counting[len(counting) - third :])
    if found is None:
        told = f"gap: {counted(len(counting), 'answer')} are too few to compare early and late ones"
        return SoakFinding(name="response time", state="unclear", reason=told)
    told = f"gap: in the last third {found.told} than in the first"
    state: State = "well"
    if found.slower:
        state = "bad"
        told += warmed(samples)
    elif found.may_be_slower:
        state = "unclear"
        told += f": {LEAST_DRIFT * 100:.0f} % or more cannot be ruled out with so few turns"
    return SoakFinding(
        name="response time",
        state=state,
        reason=told,
        verdict="slows down",
        value=found.shift.change,
        low=found.shift.low,
        high=found.shift.high,
        unit="s",
        p=found.shift.p,
    )


def _answers(turns: Sequence[BenchTurn]) -> SoakFinding:
    """A question that is never answered says something of the question, and not of the time."""
    asked: dict[str, list[BenchTurn]] = {}
    for turn in turns:
        asked.setdefault(turn.question, []).append(turn)
    never = [
        q for q, own in asked.items() if len(own) > 1 and all(t.response_time is None for t in own)
    ]
    missed = [turn for turn in turns if turn.response_time is None and turn.question not in never]
    told = f"answers: {len(turns) - len(missed)} of {counted(len(turns), 'question')}"
    if never:
        answered = sum(turn.response_time is not None for turn in turns)
        told = f"answers: {answered} of {len(turns)} questions"
        told += f"; never, and so not for the time it took: {_some(never)}"
    if missed:
        told += f"; not to {_some([f'{t.question} ({t.dropped})' for t in missed])}"
    return SoakFinding(
        name="answers",
        state="bad" if missed else "well" if turns else "unclear",
        reason=told,
        verdict="misses questions",
        value=float(len(missed)),
        unit="turns",
    )


def _sound(turns: Sequence[BenchTurn]) -> SoakFinding:
    underruns = sum(turn.underruns for turn in turns)
    share = underruns / len(turns) if turns else 0.0
    return SoakFinding(
        name="sound",
        state="bad" if share > UNDERRUNS else "well",
        reason=f"sound: the speaker ran dry {counted(underruns, 'time')} within a reply",
        verdict="breaks up",
        value=float(underruns),
        unit="times",
    )


def _interruptions(found: Sequence[SoakInterruption], every: int) -> SoakFinding:
    name = "interruptions"
    tried = [each for each in found if each.outcome != "late"]
    late = len(found) - len(tried)
    over = f"{counted(late, 'reply' if late == 1 else 'replie')} over too soon"
    if not tried:
        why = "none were asked for" if not every else f"none could be tried ({over})"
        return SoakFinding(name=name, state="unknown", reason=f"{name}: {why}")
    stopped = [each for each in tried if each.outcome == "stopped"]
    failed = list(_failed(tried))
    told = f"{name}: {len(stopped)} of {len(tried)} stopped the reply"
    took = [each.silent_after for each in stopped if each.silent_after is not None]
    p95 = percentile(took, 0.95)
    if took and p95 is not None:
        told += f", {median(took) * 1000:.0f} ms (p95 {p95 * 1000:.0f}) after the first word began"
    told += f", {sum(each.answered for each in tried)} were answered"
    told += f"; {over}" if late else ""
    told += f"; failed: {_some(failed)}" if failed else ""
    return SoakFinding(
        name=name,
        state="bad" if failed else "well",
        reason=told,
        verdict="misses interruptions",
        value=float(len(failed)),
        unit="times",
    )


def _failed(tried: Sequence[SoakInterruption]) -> Iterator[str]:
    for each in tried:
        if each.outcome == "missed":
            yield f"{each.question} went on under {each.by}"
        elif not each.answered:
            yield f"{each.by} was not answered"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
