"""The quantities of a run that can be compared: response time, spans, rates, and what failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from edgevoice.bench.result.result import BenchTurn
from edgevoice.timings import SPANS

Unit = Literal["s", "tokens/s", "per turn", "share"]

Key = tuple[str, int]
"""A question, and how often it was asked before."""

BASELINE_SPANS = ("silence", "transcribe", "reply")
"""The spans that only the plain sequence has."""

KNOWN_SPANS = (*SPANS, *BASELINE_SPANS)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity by its displayed name; `values` are those of the turns that have one."""

    name: str
    unit: Unit
    values: Callable[[Mapping[Key, BenchTurn]], dict[Key, float]]
    part: bool = False
    """Whether it is a part of the response time, and matters only as far as that does."""

    @property
    def more_is_better(self) -> bool:
        return self.unit == "tokens/s"


def keyed(turns: Sequence[BenchTurn]) -> dict[Key, BenchTurn]:
    """The turns by question, in order, without warm-ups."""
    seen: dict[str, int] = {}
    found = {}
    for turn in turns:
        if not turn.warm_up:
            times = seen.get(turn.question, 0)
            seen[turn.question] = times + 1
            found[turn.question, times] = turn
    return found


def quantities(*runs: Mapping[Key, BenchTurn]) -> list[Quantity]:
    """All quantities that any of the runs has, the response time and its spans first."""
    names = dict.fromkeys(name for run in runs for turn in run.values() for name in turn.spans)
    known = [name for name in SPANS if name in names]
    return [
        _timed("response time", "s", lambda turn: turn.response_time),
        *(_span(name) for name in dict.fromkeys([*known, *names])),
        _timed("ttft", "s", lambda turn: turn.ttft, part=True),
        _timed("tokens/s", "tokens/s", lambda turn: turn.tokens_per_second),
        _counted("underruns", "per turn", lambda turn: turn.underruns),
        _counted("dropped", "share", lambda turn: bool(turn.dropped)),
        _counted("cut off", "share", lambda turn: turn.cut_off),
        Quantity("WER", "share", _wer),
    ]


def _timed(
    name: str, unit: Unit, value: Callable[[BenchTurn], float | None], part: bool = False
) -> Quantity:
    def values(run: Mapping[Key, BenchTurn]) -> dict[Key, float]:
        found = ((key, value(turn)) for key, turn in run.items() if turn.timed)
        return {key: value for key, value in found if value is not None}

    return Quantity(name, unit, values, part)


def _span(name: str) -> Quantity:
    """A span; a turn without it spent no time in it."""

    def values(run: Mapping[Key, BenchTurn]) -> dict[Key, float]:
        counted = {key: turn for key, turn in run.items() if turn.counts}
        timed = counted or {key: turn for key, turn in run.items() if turn.timed}
        if not any(name in turn.spans for turn in timed.values()):
            return {}
        return {key: turn.spans.get(name, 0.0) for key, turn in timed.items()}

    return Quantity(name, "s", values, part=True)


def _counted(name: str, unit: Unit, value: Callable[[BenchTurn], float]) -> Quantity:
    return Quantity(name, unit, lambda run: {key: float(value(t)) for key, t in run.items()})


def _wer(run: Mapping[Key, BenchTurn]) -> dict[Key, float]:
    """Errors by turn, scaled so that their mean is the word error rate of all."""
    scored = {key: turn for key, turn in run.items() if turn.words}
    words = sum(turn.words or 0 for turn in scored.values())
    return {k: (turn.word_errors or 0) * len(scored) / words for k, turn in scored.items()}
