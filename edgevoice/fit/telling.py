"""What was measured, as a table and sentences for a terminal of 80 columns and for a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgevoice.bench.result.wording import counted, wrapped
from edgevoice.fit.record import BUSY_CORES, Choice, Fit
from edgevoice.harmless import one_line
from edgevoice.models.disk import size_text

if TYPE_CHECKING:
    from rich.table import Table


def heading(fit: Fit) -> list[str]:
    """The machine and the limits."""
    cores = counted(fit.cores, "core")
    limits = f"budget {fit.budget:g} s, memory {size_text(fit.memory)}"
    limits += f", disk {size_text(fit.disk)}" if fit.disk else ""
    return wrapped(f"{one_line(fit.machine)}, {cores}; {limits}")


def table(fit: Fit) -> Table:
    """Every set that was measured, in a line each."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    made.add_column("", no_wrap=True, min_width=1)
    for name in ("language model", "transcription"):
        made.add_column(name, no_wrap=True, overflow="ellipsis")
    for name, width in (("median", 7), ("worst", 6), ("answers", 7), ("memory", 7), ("disk", 7)):
        made.add_column(name, justify="right", no_wrap=True, min_width=width)
    for choice in fit.choices:
        answers = choice.answers
        made.add_row(
            "✓" if choice.meets else "",
            Text(one_line(choice.slm) + (" *" if choice.measured_as else "")),
            Text(one_line(choice.stt)),
            _marked(_seconds(choice.p50), "response time" in choice.exceeds),
            _seconds(choice.worst),
            _marked(f"{len(answers.times)}/{answers.asked}", "answers" in choice.exceeds),
            _marked(size_text(choice.memory), "memory" in choice.exceeds),
            _marked(size_text(choice.disk), "disk" in choice.exceeds),
            style="" if choice.meets else "dim",
        )
    return made


def verdict(fit: Fit) -> list[str]:
    """Which set meets the budget, or that none does; then what else is to be known."""
    lines = []
    if any(choice.measured_as for choice in fit.choices):
        lines.append("* measured with a synthetic model of the same dimensions")
    if any(choice.answers.dropped for choice in fit.choices):
        lines += wrapped("Fewer answers: the set was dropped early, as clearly too slow.")
    busy = max((choice.answers.busy for choice in fit.choices), default=0.0)
    if busy > BUSY_CORES:
        lines += wrapped(
            f"The machine was busy: other programs took up to {busy:.1f} cores. Without them every "
            "set answers sooner."
        )
    if fit.best is not None:
        lines += wrapped(f"{_named(fit.best)} meets the budget: {_figures(fit.best)}.")
        lines += _spans(fit.best)
        if fit.best.missing:
            lines += wrapped(f"Download it: edgevoice models pull {' '.join(fit.best.missing)}")
    elif fit.choices:
        nearest = fit.choices[0]
        lines += wrapped(
            f"No set meets the budget. Nearest is {_named(nearest)}, which exceeds the limit of "
            f"{' and '.join(nearest.exceeds)}: {_figures(nearest)}."
        )
        lines += _spans(nearest)
    else:
        lines.append("No set could be measured.")
    if fit.not_run:
        names = ", ".join(fit.not_run)
        lines += wrapped(f"Not measured, as less capable: {names} (--all measures them too).")
    for problem in fit.problems:
        fix = f" (fix: {problem.fix})" if problem.fix else ""
        lines += wrapped(f"left out: {problem.about}: {problem.what}{fix}")
    return lines


def _named(choice: Choice) -> str:
    return f"{choice.slm} with {choice.stt} and {choice.tts}"


def _figures(choice: Choice) -> str:
    if choice.p50 is None or choice.worst is None:
        return "no question was answered"
    answers = counted(len(choice.answers.times), "answer")
    return (
        f"median response time {choice.p50:.2f} s, worst {choice.worst:.2f} s of {answers}, "
        f"{size_text(choice.memory)} of memory at most, "
        f"{size_text(choice.disk)} of disk"
    )


def _spans(choice: Choice) -> list[str]:
    told = [f"{name} {seconds * 1000:.0f}" for name, seconds in choice.answers.spans.items()]
    return wrapped(f"  medians in ms: {' · '.join(told)}") if told else []


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} s"


def _marked(text: str, exceeds: bool) -> str:
    return f"{text}!" if exceeds else f"{text} "
