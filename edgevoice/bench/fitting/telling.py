"""What fits, and how far predictions were off, for a terminal of 80 columns and for a pipe."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from edgevoice.bench.fitting.choosing import longest_span
from edgevoice.bench.fitting.record import (
    BUSY,
    Calibration,
    Check,
    Checked,
    Choice,
    Fit,
    How,
    Problem,
)
from edgevoice.harmless import one_line
from edgevoice.models.disk import size_text

if TYPE_CHECKING:
    from rich.table import Table

WIDTH, ROWS = 80, 8
SURE: tuple[How, ...] = ("measured", "shape")
TOLD: Mapping[How, str] = {
    "part of a shape": "by some layers of its shape",
    "by size": "by the size of another that was measured",
    "by the machine's speed": "by the machine's speed: very roughly",
}


def heading(fit: Fit) -> list[str]:
    """Which machine, which budget, and what disturbed."""
    what = f"budget {fit.budget:g} s, {size_text(fit.memory)} of memory"
    return [*_machine(fit.calibration), *_wrapped(what)]


def table(fit: Fit) -> Table:
    """The first sets of models, each in a line."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    made.add_column("", no_wrap=True, min_width=1)
    for name in ("language model", "quant.", "recognizer"):
        made.add_column(name, no_wrap=True, overflow="ellipsis")
    for name, width in (("gap s", 7), ("from–to", 9), ("memory", 7), ("disk", 7)):
        made.add_column(name, justify="right", no_wrap=True, min_width=width)
    for choice in fit.choices[:ROWS]:
        gap = choice.predicted
        about = "" if all(how in SURE for how in choice.how.values()) else "~"
        made.add_row(
            "✓" if choice.meets else "",
            *map(Text, map(one_line, (choice.slm, choice.quantization or "?", choice.stt))),
            _marked(f"{about}{_short(gap.gap)}", "gap" in choice.why),
            f"{_short(gap.low)}–{_short(gap.high)}",
            _marked(size_text(choice.memory), "memory" in choice.why),
            _marked(size_text(choice.disk), "disk" in choice.why),
            style="" if choice.meets else "dim",
        )
    return made


def verdict(fit: Fit) -> list[str]:
    """The best, with all that is told of it; or that none meets the budget, and what would."""
    if not fit.choices:
        return ["Nothing could be predicted."]
    nearest = fit.choices[0]
    lines = _notes(fit)
    if fit.best is None:
        exceeds = " and ".join(nearest.why)
        lines += _wrapped(
            f"None meets it. Nearest: {nearest.slm}, {nearest.stt}, {nearest.tts}: it exceeds the "
            f"{exceeds}. Its longest span: {longest_span(nearest)}."
        )
        lines += _spans(nearest)
        lines += ["What would:", *(_item(line) for line in fit.would)]
    else:
        lines += _wrapped(f"Best: {nearest.slm}, {nearest.stt}, {nearest.tts}")
        lines += _spans(nearest)
        lines += _wrapped(f"  threads: {_threads(nearest)}")
        if nearest.missing:
            lines += _wrapped(f"  not here: edgevoice models pull {' '.join(nearest.missing)}")
    few, _, many = nearest.predicted.tail
    least, _, most = nearest.predicted.clause
    lines += _wrapped(
        f"Reckoned with {few} to {many} tokens that close a question and {least} to {most} up to "
        "the end of the first clause. Most answers fall between from and to."
    )
    return [*lines, *problems(fit.problems)]


def check(made: Check) -> list[str]:
    """How far each prediction was off, span by span."""
    lines = _machine(made.calibration)
    for run in made.runs:
        lines += ["", *_checked(run)]
    lines += [
        "",
        f"off by {made.error * 100:.0f} % in the middle and {made.largest * 100:.0f} % at most "
        f"({len(made.runs)} run{'s' if len(made.runs) > 1 else ''})",
    ]
    if made.in_order is not None:
        lines.append(f"the order of the runs is predicted {'right' if made.in_order else 'wrong'}")
    return [*lines, *problems(made.problems)]


def problems(found: Sequence[Problem]) -> list[str]:
    """What could not be measured, and the remedy."""
    lines: list[str] = []
    for problem in found:
        fix = f" (fix: {problem.fix})" if problem.fix else ""
        lines += _wrapped(f"left out: {problem.about}: {problem.what}{fix}")
    return lines


def _checked(run: Checked) -> list[str]:
    models = ", ".join(run.models.values())
    predicted = run.predicted
    lines = _wrapped(f"{PurePath(run.file).name}: {models}, {run.n} answers")
    lines.append(f"{'p50':<14} {'predicted':>10} {'measured':>10} {'off by':>8}")
    for name, seconds in run.spans.items():
        lines.append(_row(name, predicted.spans.get(name, 0.0), seconds))
    off = f"{run.error * 100:+.0f} %"
    lines.append(f"{_row('gap', predicted.gap, run.measured)[:36]} {off:>8}")
    lines.append(
        f"{run.within * 100:.0f} % of the answers within {predicted.low:.2f} to "
        f"{predicted.high:.2f} s"
    )
    lines.append(
        f"memory {size_text(run.memory)}, at most taken {size_text(run.peak_rss)}: "
        f"{run.memory_error * 100:+.0f} %"
    )
    return lines


def _row(name: str, predicted: float, measured: float) -> str:
    cells = [f"{seconds * 1000:.0f} ms" for seconds in (predicted, measured, predicted - measured)]
    return f"{name:<14} {cells[0]:>10} {cells[1]:>10} {cells[2]:>8}"


def _machine(calibration: Calibration) -> list[str]:
    cores = f"{calibration.cores} core{'s' if calibration.cores > 1 else ''}"
    parts = [calibration.described, cores, size_text(calibration.memory)]
    speeds = calibration.speeds
    if speeds and speeds.memory_all:
        parts.append(f"{speeds.memory_all / 1e9:.1f} GB/s")
    lines = _wrapped(f"{', '.join(parts)}; calibrated {calibration.measured[:16]}")
    if calibration.strain is None:
        lines += _wrapped(
            "Stages were not measured at work together, for no whole set of models is here: on few "
            "cores the gap will be longer."
        )
    if calibration.busy > BUSY:
        lines += _wrapped(
            f"Other programs took {calibration.busy:.1f} cores while that was measured: without "
            "them all would be faster (--again measures anew)."
        )
    return lines


def _notes(fit: Fit) -> list[str]:
    """What the table does not say: its marks, and how many there are besides."""
    lines = []
    if len(fit.choices) > ROWS:
        lines.append(f"and {len(fit.choices) - ROWS} more: --json FILE holds all of them")
    if any(choice.why for choice in fit.choices[:ROWS]):
        lines.append("! more than allowed")
    by: dict[How, list[str]] = {}
    for choice in fit.choices:
        for role, name in (("slm", choice.slm), ("stt", choice.stt), ("tts", choice.tts)):
            how = choice.how[role]
            if how not in SURE and name not in by.setdefault(how, []):
                by[how].append(name)
    for how, names in by.items():
        lines += _wrapped(f"~ {', '.join(names)}: {TOLD[how]}")
    return lines


def _spans(choice: Choice) -> list[str]:
    told = [f"{name} {seconds * 1000:.0f}" for name, seconds in choice.predicted.spans.items()]
    return _wrapped(f"  p50 in ms: {' · '.join(told)}")


def _threads(choice: Choice) -> str:
    told = ", ".join(f"{who} {number}" for who, number in choice.threads.items())
    if "slm.threads" in choice.settings:
        return f"{told} (fewer are quicker here: slm.threads)"
    return f"{told} (the language model makes room for the others)"


def _short(seconds: float) -> str:
    """Three digits of it."""
    return f"{seconds:.2f}" if seconds < 9.995 else f"{seconds:.1f}"


def _marked(text: str, exceeds: bool) -> str:
    return f"{text}!" if exceeds else f"{text} "


def _item(text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent="  - ", subsequent_indent="    ")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
