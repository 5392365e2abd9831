"""What of a run can be compared and limited: the gap, its spans, rates, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from edgevoice.bench.result.result import BenchTurn
from edgevoice.timings import SPANS

Unit = Literal["s", "tokens/s", "per turn", "share"]
"""Seconds, a rate of which more is better, a number of times, or a share of turns or words."""

Key = tuple[str, int]
"""A question, and the how many-th time it was asked, from 0."""

PLAIN_SPANS = ("silence", "transcribe", "reply")
"""The spans that only the plain sequence has."""

KNOWN_SPANS = (*SPANS, *PLAIN_SPANS)


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that every turn has a value of, or none. `name` is as it is shown."""

    name: str
    unit: Unit
    values: Callable[[Mapping[Key, BenchTurn]], dict[Key, float]]
    part: bool = False
    """Whether it is a part of the gap, and matters only as far as the gap does."""

    @property
    def more_is_better(self) -> bool:
        return self.unit == "tokens/s"


def keyed(turns: Sequence[BenchTurn]) -> dict[Key, BenchTurn]:
    """The turns by what was asked, warm-ups left out, in their order."""
    seen: dict[str, int] = {}
    found = {}
    for turn in turns:
        if not turn.warm_up:
            times = seen.get(turn.question, 0)
            seen[turn.question] = times + 1
            found[turn.question, times] = turn
    return found


def quantities(*runs: Mapping[Key, BenchTurn]) -> list[Quantity]:
    """Everything that any of the runs knows of, the gap and its spans first."""
    names = dict.fromkeys(name for run in runs for turn in run.values() for name in turn.spans)
    return [
        Quantity("gap", "s", lambda run: _of(run, lambda turn: turn.gap)),
        *(span(name) for name in sorted(names, key=_place)),
        Quantity("ttft", "s", lambda run: _of(run, lambda turn: turn.ttft), part=True),
        Quantity("tokens/s", "tokens/s", lambda run: _of(run, lambda t: t.tokens_per_second)),
        Quantity("underruns", "per turn", lambda run: _all(run, lambda turn: turn.underruns)),
        Quantity("dropped", "share", lambda run: _all(run, lambda turn: bool(turn.dropped))),
        Quantity("cut off", "share", lambda run: _all(run, lambda turn: turn.cut_off)),
        Quantity("WER", "share", _wer),
    ]


def span(name: str) -> Quantity:
    """One span of the gap; where a turn is without it, it took no time."""

    def values(run: Mapping[Key, BenchTurn]) -> dict[Key, float]:
        counted = {key: turn for key, turn in run.items() if turn.counts}
        spent = counted or {key: turn for key, turn in run.items() if turn.timed}
        if not any(name in turn.spans for turn in spent.values()):
            return {}
        return {key: turn.spans.get(name, 0.0) for key, turn in spent.items()}

    return Quantity(name, "s", values, part=True)


def _place(name: str) -> int:
    return SPANS.index(name) if name in SPANS else len(SPANS)


def _of(
    run: Mapping[Key, BenchTurn], value: Callable[[BenchTurn], float | None]
) -> dict[Key, float]:
    """Of the turns that are timed, the values that are there."""
    found = ((key, value(turn)) for key, turn in run.items() if turn.timed)
    return {key: value for key, value in found if value is not None}


def _all(run: Mapping[Key, BenchTurn], value: Callable[[BenchTurn], float]) -> dict[Key, float]:
    return {key: float(value(turn)) for key, turn in run.items()}


def _wer(run: Mapping[Key, BenchTurn]) -> dict[Key, float]:
    """Errors by turn, in such a measure that their mean is the share of all words."""
    scored = {key: turn for key, turn in run.items() if turn.words}
    words = sum(turn.words or 0 for turn in scored.values())
    return {k: (turn.word_errors or 0) * len(scored) / words for k, turn in scored.items()}
