"""What a report says in words: what ran, what became of the questions, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgevoice.bench.report.report import Report, ReportColumn
from edgevoice.bench.result.result import BenchResult, BenchTurn, Figures, Summary
from edgevoice.bench.result.text import UNASKED, became, counted, misread


@dataclass(frozen=True)
class Trouble:
    """A question that was not simply answered; `kind` is cut off, dropped, underrun or misread."""

    kind: str
    question: str
    what: str


def troubles(column: ReportColumn) -> list[Trouble]:
    """Every question that was cut off, dropped, misread or heard with holes in it, by name."""
    kinds: Sequence[tuple[str, Callable[[BenchTurn], bool], Callable[[BenchTurn], str]]] = (
        ("cut off", lambda t: t.cut_off, lambda t: f"heard “{t.recognized}”"),
        ("dropped", lambda t: bool(t.dropped), lambda t: t.dropped),
        ("underrun", lambda t: t.underruns > 0, lambda t: counted(t.underruns, "time")),
        (
            "misread",
            lambda t: bool(t.word_errors),
            lambda t: f"{t.word_errors} of {counted(t.words or 0, 'word')}: “{t.recognized}”",
        ),
    )
    return [
        Trouble(kind, turn.question, tell(turn))
        for kind, fits, tell in kinds
        for turn in column.turns
        if fits(turn)
    ]


def differing(report: Report) -> dict[str, list[str]]:
    """In what the columns differ: for each such thing, what it is in each of them."""
    all_facts = [facts(column) for column in report.columns]
    names = dict.fromkeys(name for each in all_facts for name in each)
    table = {name: [each.get(name, "") for each in all_facts] for name in names}
    return {name: values for name, values in table.items() if len(set(values)) > 1}


def facts(column: ReportColumn) -> dict[str, str]:
    """What was measured, on what and how, in words."""
    result, machine = column.result, column.result.machine
    found = {
        "machine": f"{machine.cpu}, {counted(machine.usable_cores, 'core')}, "
        f"{machine.memory / 2**30:.1f} GiB",
        "system": f"{machine.system}, Python {machine.python}",
        **{
            f"{role} model": f"{model.name} (shape)" if model.shape else model.name
            for role, model in result.models.items()
        },
        "settings": ", ".join(f"{k}={value(v)}" for k, v in column.settings.items()) or "default",
        "questions": result.questions + (" in one conversation" if result.conversation else ""),
        "heard through": f"{result.input}, played to {result.played_to}"
        if result.played_to
        else "the ears themselves, without a device",
        "edgevoice": result.edgevoice,
        "libraries": ", ".join(f"{name} {version}" for name, version in result.libraries.items()),
        "load before": "not available"
        if machine.load_before is None
        else f"{machine.load_before:.2f}",
        "peak memory": f"{result.peak_rss / 2**20:.0f} MiB",
        "started": f"{result.started[:16].replace('T', ' ')}, took {result.seconds:.0f} s",
    }
    return {name: words for name, words in found.items() if words}


def counts(column: ReportColumn) -> list[str]:
    """What became of the questions, and the rates, as phrases."""
    s = column.summary
    parts = [*(became(s) if column.result.command not in UNASKED else ()), *misread(s)]
    if s.ttft is not None:
        parts.append(f"first token after {ms(s.ttft.p50)}")
    if s.tokens_per_second is not None:
        parts.append(f"{s.tokens_per_second.p50:.1f} tokens/s")
    return parts


def rates(found: Summary) -> list[tuple[str, Figures, str, int]]:
    """What was measured beside the spans: name, figures, unit and digits behind the point."""
    all_rates = (
        ("first token", found.ttft, "s from the beginning of the prompt", 3),
        ("reply", found.tokens_per_second, "tokens a second", 1),
        ("prefill", found.prefill_rate, "tokens a second", 1),
        ("recognition", found.stt_rtf, "s for each second of sound", 3),
        ("synthesis", found.tts_rtf, "s for each second of sound", 3),
        ("speech", found.words_per_minute, "words a minute", 0),
        ("processor", found.cpu_seconds, "s of processor time a turn", 2),
        ("energy", found.energy, "J a turn", 1),
    )
    return [(name, f, unit, digits) for name, f, unit, digits in all_rates if f is not None]


def device_words(device: BenchResult) -> list[str]:
    """What the machine told of itself, and what it does not tell."""
    told = []
    if device.steady_rss is not None:
        told.append(f"steady memory {device.steady_rss / 2**20:.0f} MiB")
    if (idle := device.idle) is not None:
        energy = idle.energy_per_minute
        joules = "" if energy is None else f" and {energy:.1f} J"
        told.append(
            f"listening takes {idle.cpu_per_minute:.1f} s of processor time{joules} a minute"
        )
    for name, source in (device.sensors or {}).items():
        told.append(f"{name}: {source or 'not available'}")
    return told


def flags(turn: BenchTurn) -> list[str]:
    """What was not as it should be in a turn, in a word or two each."""
    found = []
    if turn.cut_off:
        found.append("cut off")
    if turn.dropped:
        found.append(f"dropped: {turn.dropped}")
    if turn.underruns:
        found.append(counted(turn.underruns, "underrun"))
    if turn.replaced:
        found.append(f"{turn.replaced} taken back")
    if turn.word_errors:
        found.append(f"{counted(turn.word_errors, 'word')} wrong")
    return found


def ms(seconds: float) -> str:
    """Whole milliseconds."""
    return f"{round(seconds * 1000)} ms"


def quick(seconds: float | None) -> str:
    """Milliseconds with as many digits as a short time needs; empty where it is not known."""
    if seconds is None:
        return ""
    return ms(seconds) if seconds >= 0.1 else f"{seconds * 1000:.3g} ms"


def value(setting: object) -> str:
    """A setting as it is written on a command line."""
    return str(setting).lower() if isinstance(setting, bool) else str(setting)
