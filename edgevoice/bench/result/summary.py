"""Turns → statistics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean, median, median_low

from msgspec.structs import replace

from edgevoice.bench.result.result import BenchResult, BenchTurn, Figures, Ratio, Summary, Variant
from edgevoice.bench.statistics.intervals import interval
from edgevoice.bench.statistics.word_error_rate import rate
from edgevoice.timings import percentile


def figures(values: Iterable[float | None]) -> Figures | None:
    """Statistics of the values that are not None; None without any."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    found = {f"p{q}": percentile(known, q / 100) for q in (50, 90, 95, 99)}
    # The median turn of a report has exactly this response time.
    found["p50"] = median_low(known)
    for name in list(found):
        ends = interval(known, int(name[1:]) / 100) or (None, None)
        found[f"{name}_low"], found[f"{name}_high"] = ends
    return Figures(n=len(known), mean=fmean(known), **found)  # type: ignore[arg-type]


RATE_FIELDS = (
    "ttft",
    "tokens_per_second",
    "prefill_rate",
    "stt_rtf",
    "tts_rtf",
    "words_per_minute",
    "cpu_seconds",
    "energy",
)
"""Fields of a turn whose statistics have the same name in a summary."""


def summarize(turns: Sequence[BenchTurn]) -> Summary:
    """The turns of one variant, without warm-ups."""
    turns = [turn for turn in turns if not turn.warm_up]
    counted = [turn for turn in turns if turn.counts]
    # Without answers, stages are timed all the same.
    timed = counted or [turn for turn in turns if turn.timed]
    names = dict.fromkeys(name for turn in timed for name in turn.spans)
    spans = {name: figures(turn.spans.get(name, 0.0) for turn in timed) for name in names}
    errors = sum(turn.word_errors or 0 for turn in turns)
    said = sum(turn.words or 0 for turn in turns)
    return Summary(
        turns=len(turns),
        answered=sum(turn.response_time is not None for turn in turns),
        cut_off=sum(turn.cut_off for turn in turns),
        dropped=sum(bool(turn.dropped) for turn in turns),
        underruns=sum(turn.underruns for turn in turns),
        false_starts=sum(turn.false_starts for turn in turns),
        response_time=figures(turn.response_time for turn in counted),
        spans={name: found for name, found in spans.items() if found is not None},
        words=said,
        word_errors=errors,
        wer=rate(errors, said),
        **{name: figures(getattr(turn, name) for turn in timed) for name in RATE_FIELDS},
    )


def recounted(result: BenchResult) -> BenchResult:
    """The result with summaries as this version makes them: an older one had other statistics."""

    def own(variant: Variant) -> list[BenchTurn]:
        return [turn for turn in result.turns if turn.variant == variant.name]

    variants = tuple(replace(each, summary=summarize(own(each))) for each in result.variants)
    return replace(result, variants=variants)


def ratio(ours: Sequence[BenchTurn], theirs: Sequence[BenchTurn]) -> Ratio | None:
    """How many times as long `theirs` take as `ours`, over the questions that both answered."""
    own = {turn.question: turn.response_time for turn in ours if turn.counts}
    pairs = [
        (response_time, turn.response_time)
        for turn in theirs
        if turn.counts
        and turn.response_time is not None
        and (response_time := own.get(turn.question))
    ]
    if not pairs:
        return None
    return Ratio(
        n=len(pairs),
        of_questions=median(other / response_time for response_time, other in pairs),
        of_p50=median_low(other for _, other in pairs)
        / median_low(response_time for response_time, _ in pairs),
    )
