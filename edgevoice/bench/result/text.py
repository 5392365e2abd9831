"""A result as plain text, 80 columns wide."""

from __future__ import annotations

from collections.abc import Iterator

from edgevoice.bench.result.conditions import conditions
from edgevoice.bench.result.device_text import device, limits
from edgevoice.bench.result.result import BenchResult, BenchTurn, Figures, Summary, Variant
from edgevoice.bench.result.wording import counted, ms, packed, paragraphs, table, wrapped

UNASKED = ("recognition", "stages")
"""Commands that ask the assistant nothing."""

SYNTHETIC = "a synthetic model: its speed is real, its words are prescribed"
SYNTHETIC_DRAFTS = "drafts are accepted by chance, as often as 1.5 B accepts 0.5 B's"

_BAR = 26


def render(result: BenchResult) -> list[str]:
    """The whole result: what ran, a table for each variant, the machine, and what failed."""
    failed = [
        line
        for turn in result.turns
        for kind, what in troubles(turn)
        if kind != "misread"
        for line in wrapped(f"{kind}, {turn.variant}: {turn.question}: {what}")
    ]
    return paragraphs(
        (
            heading(result),
            *(_variant(variant, result) for variant in result.variants),
            limits(result),
            device(result),
            [*failed, *left_out(result)],
        )
    )


def heading(result: BenchResult) -> list[str]:
    """What ran on which machine, with which settings, and on which questions."""
    synthetic = [model.name for model in result.models.values() if model.shape]
    lines = [
        f"edgevoice {result.edgevoice} · {result.machine.cpu}, "
        f"{counted(result.machine.usable_cores, 'core')}",
        ", ".join(f"{role} {model.name}" for role, model in result.models.items()),
    ]
    if synthetic:
        how = f"{SYNTHETIC}; {SYNTHETIC_DRAFTS}" if "draft" in result.models else SYNTHETIC
        lines.append(f"{', '.join(synthetic)}: {how}")
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


def left_out(result: BenchResult) -> list[str]:
    """Each recording or technique that was left out."""
    return [line for name in result.left_out for line in wrapped(f"left out: {name}")]


def _variant(variant: Variant, result: BenchResult) -> list[str]:
    s = variant.summary
    changed = ", ".join(f"{key}={value}" for key, value in variant.settings.items())
    lines = wrapped(f"{variant.name} ({changed})" if changed else variant.name)
    if s.response_time is None:
        lines.append("nothing was answered")
    else:
        rows, at = [], 0.0
        for span, f in s.spans.items():
            rows.append([span, *times(f), _bar(at, f.mean, s.response_time.mean)])
            at += f.mean
        rows.append(["response time", *times(s.response_time), ""])
        lines += [
            *table(("", "p50", "p95", "mean", ""), rows, words=(0, 4)),
            *_confidence(s.response_time),
        ]
        lines += conditions(result) if variant is result.variants[0] else []
    return [*lines, *packed(outcome(s, result.command))]


def times(f: Figures) -> list[str]:
    """Median, 95th percentile and mean."""
    return [ms(f.p50), ms(f.p95), ms(f.mean)]


def _confidence(f: Figures) -> list[str]:
    bounds = (("p50", f.p50_low, f.p50_high), ("p95", f.p95_low, f.p95_high))
    told = [
        f"{name} from {round(low * 1000)} to {round(high * 1000)} ms"
        for name, low, high in bounds
        if low is not None and high is not None
    ]
    return [f"  95 % sure: {', '.join(told)}"] if told else []


def _bar(start: float, length: float, whole: float) -> str:
    """The place of a span in the mean response time."""
    scale = _BAR / whole if whole > 0 else 0.0
    first, last = round(start * scale), round((start + length) * scale)
    return " " * first + "█" * (last - first)


def outcome(s: Summary, command: str) -> list[str]:
    """What became of the questions, and the rates, as phrases."""
    asked = [
        f"{s.answered} of {counted(s.turns, 'question')} answered",
        f"{s.cut_off} cut off",
        f"{s.dropped} dropped",
        counted(s.underruns, "underrun"),
        *([counted(s.false_starts, "false start")] if s.false_starts else []),
    ]
    rates = (
        ("first token after {:.2f} s", s.ttft),
        ("{:.1f} tokens/s", s.tokens_per_second),
        ("prefill {:.0f} tokens/s", s.prefill_rate),
        ("RTF of STT {:.2f}", s.stt_rtf),
        ("of TTS {:.2f}", s.tts_rtf),
        ("{:.0f} words a minute spoken", s.words_per_minute),
    )
    told = [text.format(f.p50) for text, f in rates if f is not None]
    return [*(() if command in UNASKED else asked), *misread(s), *told]


def misread(s: Summary) -> list[str]:
    """The word error rate, if known."""
    return [] if s.wer is None else [f"WER {s.wer * 100:.1f} % of {counted(s.words, 'word')}"]


def troubles(turn: BenchTurn) -> Iterator[tuple[str, str]]:
    """What went wrong in a turn, as its kind and details; nothing of a warm-up."""
    if turn.warm_up:
        return
    if turn.cut_off:
        yield "cut off", f"heard “{turn.transcript}”"
    if turn.dropped:
        yield "dropped", turn.dropped
    if turn.underruns:
        yield "underrun", counted(turn.underruns, "time")
    if turn.word_errors:
        words = counted(turn.words or 0, "word")
        yield "misread", f"{turn.word_errors} of {words}: “{turn.transcript}”"
