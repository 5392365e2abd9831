"""Stages that were measured alone, and starts of the program, as plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from edgevoice.bench.result.conditions import conditions
from edgevoice.bench.result.device_record import Start
from edgevoice.bench.result.device_text import limits
from edgevoice.bench.result.result import BenchResult, StageFigures
from edgevoice.bench.result.summary import figures
from edgevoice.bench.result.text import heading, left_out, misread
from edgevoice.bench.result.wording import paragraphs, table, wrapped
from edgevoice.bench.stages.cold_start import COLD, WARM

_NAMES = {
    "frame": "a frame of 32 ms",
    "judgement": "a judgement",
    "reading": "a reading",
    "read_rtf": "RTF",
    "ttft": "first token",
    "decode": "reply",
    "first_sound": "first sound",
    "speak_rtf": "RTF",
}
PERCENTILES = ("p50", "p90", "p95", "p99")
_LOADED = {"vad": "VAD", "stt": "STT", "slm": "LLM", "tts": "TTS", "turn": "turn detector"}


def stages(result: BenchResult) -> list[str]:
    """Every quantity of each stage with the confidence intervals of its percentiles."""
    alone = [one for one in result.stages if one.deviation is None]
    rows = [row for one in alone for row in _rows(one)]
    standard = [
        f"{one.stage}: {one.quantity} {one.figures.mean:.1f} ± {one.deviation:.1f} tokens/s "
        f"(mean and standard deviation of {one.figures.n}, as llama-bench measures)"
        for one in result.stages
        if one.deviation is not None
    ]
    parts = [
        heading(result),
        [
            *table(("stage alone", "n", *PERCENTILES, "unit"), rows, apart=1),
            *(line for text in standard for line in wrapped(text)),
            *conditions(result),
        ],
        misread(result.variants[0].summary),
        limits(result),
        left_out(result),
    ]
    return paragraphs(parts)


def _rows(one: StageFigures) -> Iterator[Sequence[str]]:
    f = one.figures
    scale, unit = (1000.0, "ms") if one.unit == "s" else (1.0, one.unit)
    if one.quantity.endswith("rtf"):
        scale, unit = 1.0, ""
    values = [_number(getattr(f, name), scale) for name in PERCENTILES]
    yield (f"{one.stage}: {_NAMES.get(one.quantity, one.quantity)}", str(f.n), *values, unit)
    ends = [(getattr(f, f"{name}_low"), getattr(f, f"{name}_high")) for name in PERCENTILES]
    between = [f"{_number(low, scale)}–{_number(high, scale)}".strip("–") for low, high in ends]
    if any(between):
        yield ("  95 % confidence", "", *between, "")


def _number(value: float | None, scale: float) -> str:
    if value is None:
        return ""
    scaled = value * scale
    digits = 0 if scaled >= 100 else 1 if scaled >= 10 else 2 if scaled >= 1 else 3
    return f"{scaled:.{digits}f}"


Moment = Callable[[Start], "float | None"]


def starts(result: BenchResult) -> list[str]:
    """When each step of a start was reached, cold and warm."""
    kinds = {name: [s for s in result.starts if s.variant == name] for name in (COLD, WARM)}
    rows = []
    for name, moment in _moments(result.starts):
        found = [figures(map(moment, made)) for made in kinds.values()]
        cells = [(_seconds(f.p50), _seconds(f.p95)) if f else ("", "") for f in found]
        rows.append([name, *(cell for pair in cells for cell in pair)])
    heads = ("since the process began", "cold p50", "p95", "warm p50", "p95")
    parts = [
        heading(result),
        [*table(heads, rows, apart=1), *conditions(result)],
        [*_remarks(result)],
        left_out(result),
    ]
    return paragraphs(parts)


def _moments(made: Sequence[Start]) -> list[tuple[str, Moment]]:
    roles = dict.fromkeys(role for one in made for role in one.loads)

    def loaded(role: str) -> Moment:
        return lambda one: one.loads[role].ready if role in one.loads else None

    return [
        ("command line read", lambda one: one.program),
        ("pipeline imported", lambda one: one.imported),
        *((f"{_LOADED.get(role, role)} loaded", loaded(role)) for role in roles),
        ("listening", lambda one: one.listening),
        ("ready to answer", lambda one: one.ready),
        ("first response time", lambda one: one.response_time),
    ]


def _remarks(result: BenchResult) -> Iterator[str]:
    answered = sum(turn.response_time is not None for turn in result.turns if not turn.warm_up)
    yield f"{answered} of {len(result.starts)} first questions answered"
    yield f"memory {result.peak_rss / 1e9:.2f} GB when ready"


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"
