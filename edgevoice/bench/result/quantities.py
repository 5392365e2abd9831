"""The quantities of a run that can be compared: response time, spans, rates, and what failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from edgevoice.bench.result.result import BenchTurn
from edgevoice.timings import SPANS

QuantityUnit = Literal["s", "tokens/s", "per turn", "share"]

QuestionKey = tuple[str, int]
"""A question, and how often it was asked before."""

BASELINE_SPANS = ("silence", "transcribe", "reply")
"""The spans that only the plain sequence has."""

KNOWN_SPANS = (*SPANS, *BASELINE_SPANS)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity by its displayed name; `field` is that of a turn, empty for a span and for WER."""

    name: str
    unit: QuantityUnit
    field: str = ""
    part: bool = False
    """Whether it is a part of the response time, and matters only as far as that does."""

    @property
    def more_is_better(self) -> bool:
        return self.unit == "tokens/s"

    def values(self, run: Mapping[QuestionKey, BenchTurn]) -> dict[QuestionKey, float]:
        """The values of the turns that have one."""
        if self.name == "WER":
            return _word_errors(run)
        if not self.field:
            return _span(self.name, run)
        if self.unit in ("per turn", "share"):
            return {key: float(bool(v) if self.unit == "share" else v) for key, v in self._of(run)}
        return {key: v for key, v in self._of(run) if run[key].timed and v is not None}

    def _of(self, run: Mapping[QuestionKey, BenchTurn]) -> Iterator[tuple[QuestionKey, Any]]:
        return ((key, getattr(turn, self.field)) for key, turn in run.items())


def keyed(turns: Sequence[BenchTurn]) -> dict[QuestionKey, BenchTurn]:
    """The turns by question, in order, without warm-ups."""
    seen: dict[str, int] = {}
    found = {}
    for turn in turns:
        if not turn.warm_up:
            times = seen.get(turn.question, 0)
            seen[turn.question] = times + 1
            found[turn.question, times] = turn
    return found


def quantities(*runs: Mapping[QuestionKey, BenchTurn]) -> list[Quantity]:
    """All quantities that any of the runs has, the response time and its spans first."""
    names = dict.fromkeys(name for run in runs for turn in run.values() for name in turn.spans)
    known = [name for name in SPANS if name in names]
    return [
        Quantity("response time", "s", "response_time"),
        *(Quantity(name, "s", part=True) for name in dict.fromkeys([*known, *names])),
        Quantity("ttft", "s", "ttft", part=True),
        Quantity("tokens/s", "tokens/s", "tokens_per_second"),
        Quantity("underruns", "per turn", "underruns"),
        Quantity("dropped", "share", "dropped"),
        Quantity("cut off", "share", "cut_off"),
        Quantity("WER", "share"),
    ]


def _span(name: str, run: Mapping[QuestionKey, BenchTurn]) -> dict[QuestionKey, float]:
    """A turn without the span spent no time in it."""
    counted = {key: turn for key, turn in run.items() if turn.counts}
    timed = counted or {key: turn for key, turn in run.items() if turn.timed}
    if not any(name in turn.spans for turn in timed.values()):
        return {}
    return {key: turn.spans.get(name, 0.0) for key, turn in timed.items()}


def _word_errors(run: Mapping[QuestionKey, BenchTurn]) -> dict[QuestionKey, float]:
    """Errors by turn, scaled so that their mean is the word error rate of all."""
    scored = {key: turn for key, turn in run.items() if turn.words}
    words = sum(turn.words or 0 for turn in scored.values())
    return {k: (turn.word_errors or 0) * len(scored) / words for k, turn in scored.items()}
