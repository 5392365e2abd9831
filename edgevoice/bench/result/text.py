"""A result as plain text, 80 columns wide, for a terminal and for a pipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgevoice.bench.result.conditions import conditions
from edgevoice.bench.result.device_text import device, limits
from edgevoice.bench.result.result import (
    BASELINE,
    BenchResult,
    BenchTurn,
    Figures,
    Summary,
    Variant,
)
from edgevoice.bench.result.wording import counted, ms, packed, wrapped

UNASKED = ("recognition", "stages")
"""Commands that play nothing to the assistant, so that nothing is answered."""
_NAME = 14
_BAR = 26


def render(result: BenchResult) -> list[str]:
    """The whole result: what ran, a table for each variant, and what went wrong."""
    lines = [*heading(result), ""]
    for variant in result.variants:
        lines += [*_variant(variant, result), ""]
    if (ratio := result.ratio) is not None:
        lines += [
            f"the plain sequence takes {ratio.of_questions:.1f} times as long (median of "
            f"{counted(ratio.n, 'question')}; {ratio.of_p50:.1f} by p50)",
            "",
        ]
    for part in (limits(result), device(result)):
        lines += [*part, ""] if part else []
    lines += _troubles(result)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def heading(result: BenchResult) -> list[str]:
    """What ran on what, with which settings, and on which questions."""
    shapes = [model.name for model in result.models.values() if model.shape]
    lines = [
        f"edgevoice {result.edgevoice} · {result.machine.cpu}, "
        f"{counted(result.machine.usable_cores, 'core')}",
        ", ".join(f"{role} {model.name}" for role, model in result.models.items()),
    ]
    if shapes:
        lines.append(
            f"{', '.join(shapes)}: the shape of a model. Its speed is real, its words are given."
        )
    changed = [f"{k}={v}" for k, v in result.settings.items() if not k.startswith("models.")]
    if changed:
        lines.append(f"set: {', '.join(changed)}")
    how = "quiet, in real time"
    if result.played_to:
        how = f"played to {result.played_to}, heard through {result.input}, in real time"
    if result.command in UNASKED:
        how = "one after the other"
    elif result.starts:
        how = "each the first of a process"
    memory = " · one conversation" if result.conversation else ""
    lines.append(f"questions: {result.questions} · {how}{memory}")
    if result.interrupted:
        lines.append("stopped before its end: this is what was measured until then")
    return [line for part in lines for line in wrapped(part)]


def _variant(variant: Variant, result: BenchResult) -> list[str]:
    s = variant.summary
    changed = ", ".join(f"{key}={value}" for key, value in variant.settings.items())
    name = variant.name if not changed else f"{variant.name} ({changed})"
    title = name if len(result.variants) > 1 else "where the time goes"
    lines = [f"{title:<{_NAME + 2}}"]
    if s.gap is None:
        lines = [title, "nothing was answered"]
    else:
        lines = [f"{title:<{_NAME}} {'p50':>8} {'p95':>8} {'mean':>8}"]
        if len(title) > _NAME:
            lines = [title, f"{'':<{_NAME}} {'p50':>8} {'p95':>8} {'mean':>8}"]
        at = 0.0
        for span, figures in s.spans.items():
            lines.append(f"{_row(span, figures)}  {_bar(at, figures.mean, s.gap.mean)}".rstrip())
            at += figures.mean
        lines.append(_row("gap", s.gap))
        lines += _sure(s.gap)
        lines += conditions(result) if variant is result.variants[0] else []
    return [*lines, *packed(_counts(s))]


def _sure(f: Figures) -> list[str]:
    """Between which values the true percentiles lie, where there are turns enough to say so."""
    bounds = (("p50", f.p50_low, f.p50_high), ("p95", f.p95_low, f.p95_high))
    told = [
        f"{name} from {round(low * 1000)} to {round(high * 1000)} ms"
        for name, low, high in bounds
        if low is not None and high is not None
    ]
    return [f"{'  95 % sure':<{_NAME}} {', '.join(told)}"] if told else []


def _row(name: str, f: Figures) -> str:
    cells = (f"{round(value * 1000)} ms" for value in (f.p50, f.p95, f.mean))
    return f"{name:<{_NAME}} " + " ".join(f"{cell:>8}" for cell in cells)


def _bar(start: float, length: float, whole: float) -> str:
    """Where the span lies in the mean gap; the bars of all spans join to one."""
    scale = _BAR / whole if whole > 0 else 0.0
    first, last = round(start * scale), round((start + length) * scale)
    return " " * first + "█" * (last - first)


def became(s: Summary) -> list[str]:
    """What became of the questions, as phrases."""
    parts = [
        f"{s.answered} of {counted(s.turns, 'question')} answered",
        f"{s.cut_off} cut off",
        f"{s.dropped} dropped",
        counted(s.underruns, "underrun"),
    ]
    return [*parts, f"{counted(s.replaced, 'attempt')} taken back"] if s.replaced else parts


def misread(s: Summary) -> list[str]:
    """How many words were recognized wrong, where that is known."""
    return [] if s.wer is None else [f"WER {s.wer * 100:.1f} % of {counted(s.words, 'word')}"]


def _counts(s: Summary) -> list[str]:
    parts = [*became(s), *misread(s)]
    if s.tokens_per_second is not None:
        parts.append(f"{s.tokens_per_second.p50:.1f} tokens/s")
    for name, figures, unit in (
        ("prefill", s.prefill_rate, "tokens/s"),
        ("RTF of STT", s.stt_rtf, ""),
        ("of TTS", s.tts_rtf, ""),
        ("", s.words_per_minute, "words a minute spoken"),
    ):
        if figures is not None:
            digits = 2 if not unit else 0
            parts.append(f"{name} {figures.p50:.{digits}f} {unit}".strip())
    return parts


def _troubles(result: BenchResult) -> list[str]:
    """Every question that was not simply answered, by name."""
    kinds: Sequence[tuple[str, Callable[[BenchTurn], bool], Callable[[BenchTurn], str]]] = (
        ("cut off", lambda t: t.cut_off, lambda t: f"heard “{t.recognized}”"),
        ("dropped", lambda t: bool(t.dropped), lambda t: t.dropped),
        ("underrun", lambda t: t.underruns > 0, lambda t: counted(t.underruns, "time")),
    )
    lines = []
    for kind, fits, tell in kinds:
        for turn in result.turns:
            if fits(turn) and not turn.warm_up:
                who = "" if len(result.variants) == 1 else f", {turn.variant}"
                lines += wrapped(f"{kind}{who}: {turn.question}: {tell(turn)}")
    for name in result.left_out:
        lines.append(f"left out: {name}")
    return lines


def recognition(result: BenchResult) -> list[str]:
    """Words wrong and time taken, by each way of reading the same recordings."""
    lines = [
        *heading(result),
        "",
        f"{'':<16}{'WER':>8}{'wrong':>8}{'words':>8}{'p50':>10}{'p95':>10}",
    ]
    for variant in result.variants:
        s = variant.summary
        if s.wer is None or not (spent := s.spans.get("recognize")):
            continue
        cells = f"{f'{s.wer * 100:.2f} %':>8}{s.word_errors:>8}{s.words:>8}"
        lines.append(f"{variant.name:<16}{cells}{ms(spent.p50):>10}{ms(spent.p95):>10}")
    return [*lines, *(f"left out: {name}" for name in result.left_out)]


def switches(result: BenchResult) -> list[str]:
    """The variants as a Markdown table: each technique off, against all of them on."""
    base = result.variants[0].summary.gap
    head = "| technique | setting | p50 on | p95 on | p50 off | p95 off | what it buys |"
    lines = [head, "| --- | --- | --- | --- | --- | --- | --- |"]
    for variant in result.variants[1:]:
        off = variant.summary.gap
        if variant.name == BASELINE:
            continue
        changed = ", ".join(f"`{k} = {_toml(v)}`" for k, v in variant.settings.items())
        if base is None or off is None:
            lines.append(f"| {variant.name} | {changed} | | | | | nothing was answered |")
            continue
        bought = f"{ms(off.p50 - base.p50, '+')} p50, {ms(off.p95 - base.p95, '+')} p95"
        cells = (ms(base.p50), ms(base.p95), ms(off.p50), ms(off.p95), bought)
        lines.append(f"| {variant.name} | {changed} | {' | '.join(cells)} |")
    return [*lines, *(f"\nleft out: {name}" for name in result.left_out)]


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(
        value, str
    ) else str(value)  # fmt: skip
