"""Stages that were measured by themselves, and starts of the program, as plain text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgevoice.bench.result.device_record import Start
from edgevoice.bench.result.device_text import limits
from edgevoice.bench.result.result import BenchResult, Figures, StageFigures
from edgevoice.bench.result.summary import figures
from edgevoice.bench.result.text import heading, misread
from edgevoice.bench.result.wording import wrapped
from edgevoice.bench.stages.cold_start import COLD, WARM

_SAID = {
    "frame": "a frame of 32 ms",
    "judgement": "a judgement",
    "reading": "a reading",
    "read_rtf": "RTF",
    "prefill": "prefill",
    "ttft": "first token",
    "decode": "reply",
    "first_sound": "first sound",
    "speak_rtf": "RTF",
}
PERCENTILES = ("p50", "p90", "p95", "p99")
_NAME = 26
_LOADED = {"vad": "VAD", "stt": "STT", "slm": "LLM", "tts": "TTS", "turn": "turn detector"}
_BAR = 30


def stages(result: BenchResult) -> list[str]:
    """Every quantity of each stage, and how sure its percentiles are."""
    cells = "".join(f"{name:>9}" for name in PERCENTILES)
    lines = [*heading(result), "", f"{'stage alone':<{_NAME}}{'n':>6}{cells}  unit"]
    for one in result.stages:
        lines += _stage(one)
    lines += ["", *misread(result.variants[0].summary)]
    lines += ["", *limits(result)]
    lines += [line for name in result.left_out for line in wrapped(f"left out: {name}")]
    return _without_holes(lines)


def _stage(one: StageFigures) -> list[str]:
    f = one.figures
    scale, unit = (1000.0, "ms") if one.unit == "s" and "rtf" not in one.quantity else (1.0, "")
    unit = one.unit if one.unit != "s" else unit
    name = f"{one.stage}: {_SAID.get(one.quantity, one.quantity)}"
    cells = "".join(f"{_number(value, scale):>9}" for value in (f.p50, f.p90, f.p95, f.p99))
    lines = [f"{name:<{_NAME}}{f.n:>6}{cells}  {unit}".rstrip()]
    # Where there are too few to tell, nothing is said.
    sure = [text for name in PERCENTILES if (text := _bounds(f, name, scale))]
    return [*lines, *wrapped(f"  95 % sure: {', '.join(sure)}")] if sure else lines


def _bounds(f: Figures, name: str, scale: float) -> str:
    low, high = getattr(f, f"{name}_low"), getattr(f, f"{name}_high")
    if low is None or high is None:
        return ""
    return f"{name} {_number(low, scale)} to {_number(high, scale)}"


def _number(value: float | None, scale: float) -> str:
    if value is None:
        return ""
    scaled = value * scale
    digits = 0 if scaled >= 100 else 1 if scaled >= 10 else 2 if scaled >= 1 else 3
    return f"{scaled:.{digits}f}"


Moment = Callable[[Start], "float | None"]


def starts(result: BenchResult) -> list[str]:
    """When each step of a start was reached, cold and warm, and how the loads lie in time."""
    kinds = {name: [s for s in result.starts if s.variant == name] for name in (COLD, WARM)}
    heads = "".join(f"{name:>10}{'p95':>10}" for name in ("cold p50", "warm p50"))
    lines = [*heading(result), "", f"{'since the process began':<{_NAME}}{heads}"]
    for name, moment in _moments(result.starts):
        cells = ""
        for made in kinds.values():
            found = figures(moment(one) for one in made)
            cells += f"{_seconds(found.p50):>10}{_seconds(found.p95):>10}" if found else f"{'':>20}"
        lines.append(f"{name:<{_NAME}}{cells}".rstrip())
    for kind, made in kinds.items():
        lines += ["", *_picture(kind, made)]
    lines += ["", *_remarks(result, kinds[COLD])]
    lines += [line for name in result.left_out for line in wrapped(f"left out: {name}")]
    return _without_holes(lines)


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
        ("gap of the first answer", lambda one: one.response_time),
    ]


def _picture(kind: str, made: Sequence[Start]) -> list[str]:
    """What was loaded when, in the start in the middle."""
    if not made:
        return []
    middle = sorted(made, key=lambda one: one.ready)[(len(made) - 1) // 2]
    rows = [
        ("command line", 0.0, middle.program),
        ("imports", middle.program, middle.imported),
        *((_LOADED.get(r, r), one.began, one.ready) for r, one in middle.loads.items()),
    ]
    scale = _BAR / middle.ready if middle.ready > 0 else 0.0
    lines = [f"{kind} in the middle, ready after {_seconds(middle.ready)}"]
    for name, began, ended in rows:
        first, last = round(began * scale), max(round(began * scale) + 1, round(ended * scale))
        bar = " " * first + "█" * (last - first)
        lines.append(f"  {name:<14}{_seconds(began):>9} to {_seconds(ended):>8}  {bar}")
    return lines


def _remarks(result: BenchResult, cold: Sequence[Start]) -> list[str]:
    told = [one.cached for one in cold if one.cached is not None]
    if not told:
        text = "not known here whether weights were in memory before a cold start"
    elif max(told) <= 0.05:
        text = "before a cold start no weights were in memory, nor a kept state of the prompt"
    else:
        text = f"before a cold start up to {max(told) * 100:.0f} % of the weights were in memory"
    answered = sum(turn.response_time is not None for turn in result.turns if not turn.warm_up)
    return [
        *wrapped(text),
        f"{answered} of {len(result.starts)} first questions answered",
        f"memory {result.peak_rss / 1e9:.2f} GB when ready",
    ]


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def _without_holes(lines: Sequence[str]) -> list[str]:
    """No two empty lines in a row, and none at the end."""
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    while kept and not kept[-1]:
        kept.pop()
    return kept
