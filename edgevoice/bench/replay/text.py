"""A kept turn beside its replay, as plain text of at most 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from edgevoice.bench.replay.replay import ReplayableTurn, ReplayResult
from edgevoice.bench.result.result import BenchTurn
from edgevoice.bench.result.wording import WIDTH, counted, ms, wrapped
from edgevoice.errors import EdgevoiceError
from edgevoice.harmless import one_line
from edgevoice.recordings.recorded_turn import read
from edgevoice.timings import SPANS, TurnTimings
from edgevoice.waterfall import render_waterfall

KEPT, NOW = "kept", "replayed"
_NAME = 10

LEAST_OF_SPAN = 0.05
"""The share of a span that it must have changed by to be told of."""

LEAST_OF_GAP = 0.01
"""The share of the gap that a span must have changed by to be told of."""

ENOUGH = 3
"""Runs from which on it is told what lies beyond all of them."""


def render(made: ReplayResult) -> Iterator[str]:
    """The whole: what is different, what was heard and said, both waterfalls, what moved."""
    recording = made.recording
    kept, question = recording.turn(), recording.question
    (now, after), before = made.middle, recording.timings()
    yield from _wrapped(_headline(recording, len(made.runs)))
    yield from _pair("models", _models(recording.kept.models), _models(made.models))
    yield from _settings(made.different)
    messages = len(question.history or ())
    yield from _wrapped(f"after {counted(messages, 'message')}, as recorded")
    yield ""
    yield from _pair("heard", kept.transcript, now.transcript)
    yield from _pair("said", kept.reply, now.reply)
    yield ""
    whole = max(kept.response_time or 0.0, now.response_time or 0.0)
    yield from _fall(KEPT, kept, before, whole)
    yield ""
    yield from _fall(NOW, now, after, whole)
    yield ""
    for line in moved(kept, [turn for turn, _ in made.runs]):
        yield from _wrapped(line)


def _headline(recording: ReplayableTurn, runs: int) -> str:
    kept = recording.kept
    times = "" if runs == 1 else f" · replayed {runs} times, the one in the middle is shown"
    broken = "" if kept.ending == "completed" else f" · {kept.ending.replace('_', ' ')}"
    return (
        f"{recording.file} · {kept.started[:19].replace('T', ' ')} · edgevoice "
        f"{kept.edgevoice}{broken}{times}"
    )


def _models(models: Mapping[str, str]) -> str:
    return ", ".join(f"{role} {models[role]}" for role in sorted(models))


def _settings(different: Mapping[str, tuple[Any, Any]]) -> Iterator[str]:
    found = {k: v for k, v in different.items() if not k.startswith("models.")}
    if found:
        yield from _pair(
            "set",
            ", ".join(f"{key}={then}" for key, (then, _) in found.items()),
            ", ".join(f"{key}={now}" for key, (_, now) in found.items()),
        )


def _pair(what: str, then: str, now: str) -> Iterator[str]:
    """What was kept and what it is now, one above the other; what is the same once."""
    yield what
    yield from _named(KEPT, then or "nothing")
    yield from _named(NOW, "the same" if now == then else now or "nothing")


def _named(name: str, text: str) -> list[str]:
    return wrapped(one_line(text), f"  {name:<{_NAME}}", " " * (_NAME + 2))


def _fall(name: str, turn: BenchTurn, timings: TurnTimings | None, whole: float) -> list[str]:
    if timings is None:
        return _wrapped(f"{name} · no answer was audible: {turn.dropped}")
    return render_waterfall(timings, WIDTH, name, whole)


def moved(kept: BenchTurn, runs: Sequence[BenchTurn]) -> Iterator[str]:
    """In words what became longer and shorter, of `runs` of the same recording."""
    answered = [turn for turn in runs if turn.response_time is not None]
    if lost := len(runs) - len(answered):
        yield f"{lost} of {counted(len(runs), 'replay')} got no audible answer"
    if any(turn.cut_off for turn in runs):
        yield "replayed, the answer began before the last of what was said: see turn.patience"
    if kept.response_time is None or not answered:
        return
    gaps = [turn.response_time for turn in answered if turn.response_time is not None]
    yield f"the gap is {_change(kept.response_time, gaps)}"
    names = sorted({*kept.spans, *(name for turn in answered for name in turn.spans)}, key=_place)
    told, same = [], []
    for name in names:
        then, now = kept.spans.get(name, 0.0), [turn.spans.get(name, 0.0) for turn in answered]
        change = median(now) - then
        if abs(change) < max(LEAST_OF_SPAN * then, LEAST_OF_GAP * kept.response_time, 0.001):
            same.append(name)
        else:
            told.append((change, f"{name} is {_change(then, now)}"))
    yield from (line for _, line in sorted(told, key=lambda each: -abs(each[0])))
    if same:
        yield f"much as it was: {', '.join(same)}"
    if len(answered) < ENOUGH:
        yield (
            "one turn, and some of it chance: --times 20 --out FILE, and `edgevoice bench compare` "
            "tells what is more than that"
        )


def _change(then: float, now: Sequence[float]) -> str:
    middle = median(now)
    change = round(middle * 1000) - round(then * 1000)
    if not change:
        return f"as it was, {ms(then)}"
    text = f"{abs(change)} ms {'longer' if change > 0 else 'shorter'}: {ms(then)} → {ms(middle)}"
    if len(now) < ENOUGH:
        return text
    between = f"{round(min(now) * 1000)} to {ms(max(now))} in {len(now)} replays"
    inside = min(now) <= then <= max(now)
    return f"{text} ({between}{', so perhaps chance' if inside else ''})"


def _place(name: str) -> int:
    return SPANS.index(name) if name in SPANS else len(SPANS)


def _wrapped(text: str) -> list[str]:
    return wrapped(one_line(text))


def listing(files: Mapping[int, Path]) -> Iterator[str]:
    """The kept turns of a folder, a line each: number, when, gap and what was heard."""
    for number, file in files.items():
        try:
            kept = read(file)
        except EdgevoiceError as error:
            yield one_line(f"{number:>6}  {error.what}")[:WIDTH]
            continue
        gap = "" if kept.gap is None else ms(kept.gap)
        when = kept.started[:19].replace("T", " ")
        heard = kept.heard or f"({kept.ending.replace('_', ' ')})"
        yield one_line(f"{number:>6}  {when}  {gap:>8}  {heard}")[:WIDTH]
