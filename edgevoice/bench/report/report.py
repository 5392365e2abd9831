"""Results side by side: which files there are, what stands in each, and in what they differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgevoice.bench.result.result import BenchResult, BenchTurn, Summary, Variant, read
from edgevoice.errors import EdgevoiceError, UsageError
from edgevoice.timings import Span, TurnTimings
from edgevoice.waterfall import WAITING

WAITS = WAITING | {"silence"}
"""Spans in which no engine works, those of the plain sequence among them."""


@dataclass(frozen=True)
class ReportSource:
    """A file that was read, and what it is called."""

    name: str
    result: BenchResult


@dataclass(frozen=True)
class ReportColumn:
    """One way of answering in one file; `label` is unique among all that are shown."""

    label: str
    source: ReportSource
    variant: Variant
    turns: tuple[BenchTurn, ...]
    """Its turns in the order in which they were asked, without those that only warmed up."""

    @property
    def result(self) -> BenchResult:
        return self.source.result

    @property
    def summary(self) -> Summary:
        return self.variant.summary

    @property
    def counted(self) -> list[BenchTurn]:
        """The turns whose gap is in the percentiles."""
        return [turn for turn in self.turns if turn.counts]

    @property
    def timed(self) -> list[BenchTurn]:
        """The turns whose spans are in the figures: also of a bench that has no gap."""
        return self.counted or [turn for turn in self.turns if turn.spans and not turn.cut_off]

    @property
    def gaps(self) -> list[float]:
        """The gaps that count, in seconds, in the order in which they were measured."""
        return [turn.gap for turn in self.counted if turn.gap is not None]

    @property
    def spans(self) -> list[str]:
        """The names of its spans, in the order in which they hold up the answer."""
        return list(self.summary.spans)

    @property
    def models(self) -> list[str]:
        """`role name` of each model, a shape called one."""
        return [
            f"{role} {model.name}{' (shape)' if model.shape else ''}"
            for role, model in self.result.models.items()
        ]

    @property
    def shapes(self) -> list[str]:
        """The models that are shapes: their speed is real, their words are given."""
        return [model.name for model in self.result.models.values() if model.shape]

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting that was not the default, the variant's own among them."""
        set_ = {**self.result.settings, **self.variant.settings}
        return {key: value for key, value in set_.items() if not key.startswith("models.")}


@dataclass(frozen=True)
class Report:
    """All that is shown; `problems` are the files that could not be."""

    sources: tuple[ReportSource, ...]
    columns: tuple[ReportColumn, ...]
    problems: tuple[EdgevoiceError, ...] = field(default=())

    @property
    def spans(self) -> list[str]:
        """The names of all spans, in order of first appearance."""
        return list(dict.fromkeys(name for column in self.columns for name in column.spans))


def load(paths: Sequence[Path]) -> Report:
    """The results at `paths`. One that cannot be shown is a problem, and the rest is shown."""
    sources, problems = [], []
    names = _names(paths)
    for path, name in zip(paths, names, strict=True):
        try:
            result = read(path)
            if not result.variants:
                raise UsageError(
                    "nothing was measured in it", where=str(path), remedy="run the bench again"
                )
            sources.append(ReportSource(name, result))
        except EdgevoiceError as error:
            problems.append(error)
    return Report(tuple(sources), tuple(columns(sources)), tuple(problems))


def columns(sources: Sequence[ReportSource]) -> Iterable[ReportColumn]:
    """Every way of answering in every file."""
    for source in sources:
        for variant in source.result.variants:
            if len(sources) == 1:
                label = variant.name
            elif len(source.result.variants) == 1:
                label = source.name
            else:
                label = f"{source.name}: {variant.name}"
            turns = tuple(
                turn
                for turn in source.result.turns
                if turn.variant == variant.name and not turn.warm_up
            )
            yield ReportColumn(label, source, variant, turns)


def median_turn(column: ReportColumn) -> BenchTurn | None:
    """The turn in the middle by its gap (of an even number, the quicker one)."""
    turns = sorted(column.counted, key=_gap)
    return turns[(len(turns) - 1) // 2] if turns else None


def worst_turn(column: ReportColumn) -> BenchTurn | None:
    """The turn with the longest gap."""
    return max(column.counted, key=_gap, default=None)


def shown_turns(column: ReportColumn) -> list[tuple[str, BenchTurn]]:
    """The median and the worst turn, each with its name; one turn that is both stands once."""
    median, worst = median_turn(column), worst_turn(column)
    if median is None or worst is None:
        return []
    if median is worst:
        return [("only turn" if len(column.counted) == 1 else "median and worst turn", median)]
    return [("median turn", median), ("worst turn", worst)]


def timings(turn: BenchTurn) -> TurnTimings:
    """Its spans where they lie in its gap, which begins at 0."""
    spans, at = [], 0.0
    for name, seconds in turn.spans.items():
        spans.append(Span(name, at, at + seconds))
        at += seconds
    return TurnTimings(turn=0, gap=turn.gap, spans=tuple(spans), bars=())


def _gap(turn: BenchTurn) -> float:
    return turn.gap or 0.0


def _names(paths: Sequence[Path]) -> list[str]:
    """Each file by its name, or by as much of its path as sets it apart from the others."""
    short = [path.stem for path in paths]
    if len(set(short)) == len(short):
        return short
    parts = [list(path.parent.parts) for path in paths]
    while all(parts) and len({part[0] for part in parts}) == 1:
        for part in parts:
            del part[0]
    names = ["/".join([*part, stem]) for part, stem in zip(parts, short, strict=True)]
    return [
        f"{name} ({number})" if names.count(name) > 1 else name
        for number, name in enumerate(names, 1)
    ]
