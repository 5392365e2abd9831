"""Turns → figures: percentiles of the gap and of each span, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean, median

from edgevoice.bench.result.result import BenchTurn, Figures, Ratio, Summary
from edgevoice.bench.statistics.intervals import interval
from edgevoice.bench.statistics.word_error_rate import rate
from edgevoice.timings import percentile


def figures(values: Iterable[float | None]) -> Figures | None:
    """Percentiles, their 95 % confidence intervals and the mean of the values that are there.

    None of nothing. The intervals are those of `intervals.interval`.
    """
    there = [value for value in values if value is not None]
    p50, p95 = percentile(there, 0.5), percentile(there, 0.95)
    if p50 is None or p95 is None:
        return None
    around = {q: interval(there, q / 100) or (None, None) for q in (50, 90, 95, 99)}
    return Figures(
        n=len(there),
        p50=p50,
        p95=p95,
        mean=fmean(there),
        p90=percentile(there, 0.9),
        p99=percentile(there, 0.99),
        p50_low=around[50][0],
        p50_high=around[50][1],
        p90_low=around[90][0],
        p90_high=around[90][1],
        p95_low=around[95][0],
        p95_high=around[95][1],
        p99_low=around[99][0],
        p99_high=around[99][1],
    )


def summarize(turns: Sequence[BenchTurn]) -> Summary:
    """The turns of one variant; warm-ups are left out."""
    turns = [turn for turn in turns if not turn.warm_up]
    counted = [turn for turn in turns if turn.counts]
    # Where nothing is answered, stages are timed all the same.
    timed = counted or [turn for turn in turns if turn.timed]
    names = list(dict.fromkeys(name for turn in timed for name in turn.spans))
    spans = {name: figures(turn.spans.get(name, 0.0) for turn in timed) for name in names}
    errors = sum(turn.word_errors or 0 for turn in turns)
    said = sum(turn.words or 0 for turn in turns)
    return Summary(
        turns=len(turns),
        answered=sum(turn.gap is not None for turn in turns),
        cut_off=sum(turn.cut_off for turn in turns),
        dropped=sum(bool(turn.dropped) for turn in turns),
        underruns=sum(turn.underruns for turn in turns),
        replaced=sum(turn.replaced for turn in turns),
        gap=figures(turn.gap for turn in counted),
        spans={name: found for name, found in spans.items() if found is not None},
        ttft=figures(turn.ttft for turn in timed),
        tokens_per_second=figures(turn.tokens_per_second for turn in timed),
        words=said,
        word_errors=errors,
        wer=rate(errors, said),
        prefill_rate=figures(turn.prefill_rate for turn in timed),
        stt_rtf=figures(turn.stt_rtf for turn in timed),
        tts_rtf=figures(turn.tts_rtf for turn in timed),
        words_per_minute=figures(turn.words_per_minute for turn in timed),
        cpu_seconds=figures(turn.cpu_seconds for turn in timed),
        energy=figures(turn.energy for turn in timed),
    )


def ratio(ours: Sequence[BenchTurn], theirs: Sequence[BenchTurn]) -> Ratio | None:
    """How many times as long `theirs` take as `ours`, over the questions that both answered."""
    own = {turn.question: turn.gap for turn in ours if turn.counts}
    pairs = [
        (gap, turn.gap)
        for turn in theirs
        if turn.counts and turn.gap is not None and (gap := own.get(turn.question))
    ]
    if not pairs:
        return None
    return Ratio(
        n=len(pairs),
        of_questions=median(other / gap for gap, other in pairs),
        of_p50=median(other for _, other in pairs) / median(gap for gap, _ in pairs),
    )
