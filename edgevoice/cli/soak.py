"""`bench soak`: turn after turn, until heat, leaks or drift show."""

from __future__ import annotations

import math
from typing import Any

import click

from edgevoice.cli import Context, pass_context
from edgevoice.cli.bench import (
    DEVICES,
    MODEL_OPTIONS,
    OUTPUT,
    RECORDINGS,
    conversation_option,
    corpus_option,
    options,
    questions_option,
    trace_option,
    warm_up_option,
)
from edgevoice.cli.compare import budget_option, keeps, limits
from edgevoice.cli.measured import measure
from edgevoice.errors import UsageError

OFTEN = 5
"""Every fifth reply is interrupted by default."""


@click.command()
@click.option(
    "--hours",
    type=float,
    default=1.0,
    show_default=True,
    metavar="H",
    help="Duration in hours; 0.5 is half an hour.",
)
@click.option(
    "--interrupt-every",
    "every",
    type=click.IntRange(0),
    metavar="N",
    help=f"Interrupt every Nth reply with another question; 0: none. [default: {OFTEN}]",
)
@corpus_option
@questions_option
@options(RECORDINGS)
@conversation_option
@warm_up_option
@trace_option
@options(DEVICES, MODEL_OPTIONS, OUTPUT)
@budget_option
@pass_context
def soak(
    context: Context, hours: float, every: int | None, budgets: tuple[str, ...], **given: Any
) -> None:
    """Ask questions for hours, and look for leaks, heat and drift.

    Watches memory, threads, open files, heat and the response time, and interrupts replies.
    Exits with 0 only if the verdict is `steady`. The result is saved every minute, and Ctrl-C
    keeps it. docs/bench.md explains the verdict.
    """
    if not (math.isfinite(hours) and hours > 0):
        raise UsageError(
            f"a soak cannot last {hours:g} hours",
            where="--hours",
            remedy="for example --hours 8, or --hours 0.5 for half an hour",
        )
    barge_in = context.resolve().config.turn.barge_in
    if every and not barge_in:
        raise UsageError(
            "with turn.barge_in off nothing can be interrupted",
            where="--interrupt-every",
            remedy="leave it out, or switch turn.barge_in on",
        )
    given["interrupt_every"] = OFTEN * barge_in if every is None else every
    given["seconds"] = hours * 3600
    from edgevoice.bench.statistics.extra import need_scipy

    need_scipy("edgevoice bench soak")  # before the hours of work, not after them
    asked = limits(budgets)
    result = measure(context, "soak", given)
    kept = keeps(result, asked, err=given["json_file"] == "-")
    from edgevoice.bench.soak.steadiness import STEADY_VERDICT

    steady = result.soak is not None and result.soak.verdict == STEADY_VERDICT
    click.get_current_context().exit(0 if steady and kept else 1)
