"""Results side by side: the files, and the variants in each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgevoice.bench.result.result import BenchResult, BenchTurn, Summary, Variant, read
from edgevoice.bench.result.summary import recounted
from edgevoice.errors import EdgevoiceError, UsageError
from edgevoice.timings import Span, TurnTimings
from edgevoice.waterfall import WAITING

WAITING_SPANS = WAITING | {"silence"}
"""Spans in which no engine works, also those of the plain sequence."""


@dataclass(frozen=True)
class ReportSource:
    """A result file."""

    name: str
    result: BenchResult


@dataclass(frozen=True)
class ReportColumn:
    """A variant in a file; `turns` are without warm-ups, in the order asked."""

    label: str
    source: ReportSource
    variant: Variant
    turns: tuple[BenchTurn, ...]

    @property
    def result(self) -> BenchResult:
        return self.source.result

    @property
    def summary(self) -> Summary:
        return self.variant.summary

    @property
    def counted(self) -> list[BenchTurn]:
        """The turns whose response time is in the statistics."""
        return [turn for turn in self.turns if turn.counts]

    @property
    def timed(self) -> list[BenchTurn]:
        """The turns whose spans are in the statistics, also of a bench without answers."""
        return self.counted or [turn for turn in self.turns if turn.timed]

    @property
    def response_times(self) -> list[float]:
        """The counted response times in seconds, in the order asked."""
        return [turn.response_time for turn in self.counted if turn.response_time is not None]

    @property
    def synthetic(self) -> list[str]:
        """The names of its synthetic models."""
        return [model.name for model in self.result.models.values() if model.shape]

    @property
    def name(self) -> str:
        """Its label, with a mark if a model is synthetic."""
        return f"{self.label} (shape)" if self.synthetic else self.label

    @property
    def settings(self) -> dict[str, Any]:
        """Settings that are not the default."""
        changed = {**self.result.settings, **self.variant.settings}
        return {key: value for key, value in changed.items() if not key.startswith("models.")}


@dataclass(frozen=True)
class Report:
    """All that is shown; `problems` are the files that cannot be."""

    sources: tuple[ReportSource, ...]
    columns: tuple[ReportColumn, ...]
    problems: tuple[EdgevoiceError, ...] = ()

    @property
    def spans(self) -> list[str]:
        """The names of all spans, in order of first appearance."""
        return list(dict.fromkeys(name for column in self.columns for name in column.summary.spans))


def load(paths: Sequence[Path]) -> Report:
    """The results at `paths`; files that cannot be shown become problems."""
    sources, problems = [], []
    for path, name in zip(paths, _names(paths), strict=True):
        try:
            result = recounted(read(path))
            if not result.variants:
                raise UsageError(
                    "nothing was measured in it", where=str(path), remedy="run the bench again"
                )
            sources.append(ReportSource(name, result))
        except EdgevoiceError as error:
            problems.append(error)
    return Report(tuple(sources), tuple(columns(sources)), tuple(problems))


def columns(sources: Sequence[ReportSource]) -> Iterator[ReportColumn]:
    """Every variant in every file, with a unique label."""
    for source in sources:
        result = source.result
        for variant in result.variants:
            label = f"{source.name}: {variant.name}"
            if len(sources) == 1 or len(result.variants) == 1:
                label = variant.name if len(sources) == 1 else source.name
            own = (turn for turn in result.turns if turn.variant == variant.name)
            turns = tuple(turn for turn in own if not turn.warm_up)
            yield ReportColumn(label, source, variant, turns)


def shown_turns(column: ReportColumn) -> list[tuple[str, BenchTurn]]:
    """The median turn (of an even number, the quicker one in the middle) and the worst turn."""
    turns = sorted(column.counted, key=lambda turn: turn.response_time or 0.0)
    if not turns:
        return []
    median, worst = turns[(len(turns) - 1) // 2], turns[-1]
    if median is worst:
        return [("only turn" if len(turns) == 1 else "median and worst turn", median)]
    return [("median turn", median), ("worst turn", worst)]


def timings(turn: BenchTurn) -> TurnTimings:
    """Its spans in a response time that begins at 0."""
    spans, at = [], 0.0
    for name, seconds in turn.spans.items():
        spans.append(Span(name, at, at + seconds))
        at += seconds
    return TurnTimings(turn=0, response_time=turn.response_time, spans=tuple(spans), bars=())


def _names(paths: Sequence[Path]) -> list[str]:
    """Each file by its name, or by its path, or by its number, so that all are different."""
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        names = [str(path.with_suffix("")) for path in paths]
    return [
        f"{name} ({number})" if names.count(name) > 1 else name
        for number, name in enumerate(names, 1)
    ]
