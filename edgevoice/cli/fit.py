"""`fit`: which models answer within a budget on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgevoice.cli import Context, echo, echo_json, pass_context
from edgevoice.errors import UsageError

if TYPE_CHECKING:
    from msgspec import Struct

    from edgevoice.config import Resolved
    from edgevoice.fit.candidates import Named
    from edgevoice.fit.choosing import Limits
    from edgevoice.fit.record import Choice, Fit
    from edgevoice.settings import Config

DEFAULT_QUESTIONS = 4


@click.command()
@click.option(
    "--budget", metavar="TIME", help="Limit of the response time, for example 1.0s or 900ms."
)
@click.option("--memory", metavar="SIZE", help="Memory limit, for example 3GB [default: all].")
@click.option("--disk", metavar="SIZE", help="Disk space for models [default: the free space].")
@click.option(
    "--slm", multiple=True, metavar="NAME", help="Consider only this language model; repeatable."
)
@click.option(
    "--stt",
    multiple=True,
    metavar="NAME",
    help="Consider only this transcription model; repeatable.",
)
@click.option("--tts", multiple=True, metavar="NAME", help="Consider only this voice; repeatable.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100),
    default=DEFAULT_QUESTIONS,
    show_default=True,
    metavar="N",
    help="Number of questions for each set of models.",
)
@click.option(
    "--all", "everything", is_flag=True, help="Also measure sets less capable than the first match."
)
@click.option(
    "--synthetic",
    is_flag=True,
    help="Make missing synthetic models, gigabytes each, and remove them afterwards.",
)
@click.option(
    "--write", "writes", is_flag=True, help="Write the best set of models into the configuration."
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False),
    help="Write everything as JSON; - is standard output.",
)
@pass_context
def fit(
    context: Context,
    budget: str | None,
    memory: str | None,
    disk: str | None,
    slm: tuple[str, ...],
    stt: tuple[str, ...],
    tts: tuple[str, ...],
    limit: int,
    everything: bool,
    synthetic: bool,
    writes: bool,
    json_file: str | None,
) -> None:
    """Find the most capable models within a time budget.
    Installed sets of models answer a few questions without sound devices, in about half a minute
    each. The most capable set is first, and the first set whose median response time meets the
    budget is chosen. Clearly slower sets are dropped early. A synthetic model stands in for a
    language model that is not installed.

    Exits with 0 if a set of models meets the budget, with 1 if none does.
    """
    if budget is None:
        raise UsageError(
            "no budget was given", where="--budget", remedy="edgevoice fit --budget 1.0s"
        )
    from edgevoice.fit import quantity
    from edgevoice.fit.choosing import Limits
    from edgevoice.models.disk import free_space
    from edgevoice.models.machine import total_memory
    from edgevoice.models.store import models_folder

    resolved = context.resolve()
    limits = Limits(
        quantity.seconds(budget),
        quantity.size(memory, "--memory") if memory else total_memory(),
        quantity.size(disk, "--disk") if disk else 0,
        free_space(models_folder(resolved.config)),
    )
    named: Named = {"slm": slm, "stt": stt, "tts": tts}
    found = _fitted(resolved.config, limits, named, limit, everything, synthetic)
    _show(found, err=json_file == "-")
    if json_file is not None:
        _deliver(found, json_file)
    if found.best is None:
        click.get_current_context().exit(1)
    elif writes:
        _write(context, resolved, found.best)
    else:
        echo("the configuration is unchanged; --write sets the best models in it", err=True)


def _fitted(
    config: Config, limits: Limits, named: Named, questions: int, everything: bool, synthetic: bool
) -> Fit:
    from edgevoice import __version__
    from edgevoice.bench.jobs.progress import shown
    from edgevoice.bench.machine.host import cpu_name
    from edgevoice.fit import choosing
    from edgevoice.fit.candidates import model_sets
    from edgevoice.fit.record import Fit
    from edgevoice.models.machine import cores
    from edgevoice.models.store import Store

    sets, problems = model_sets(Store(config), named, synthetic)
    with shown() as progress:
        measure = choosing.in_processes(config, sets[0], limits.budget, questions, progress)
        fitting = choosing.Fitting(sets, limits, measure, progress, everything)
        fitting.run(measure.expected)
    ranked = fitting.ranked
    return Fit(
        edgevoice=__version__,
        machine=cpu_name(),
        cores=cores(),
        budget=limits.budget,
        memory=limits.memory,
        disk=limits.disk,
        questions=questions,
        choices=tuple(ranked),
        best=ranked[0] if ranked and ranked[0].meets else None,
        not_run=tuple(fitting.not_run),
        problems=(*problems, *fitting.problems),
    )


def _show(found: Fit, err: bool) -> None:
    import sys

    from rich.console import Console

    from edgevoice.bench.result.wording import WIDTH
    from edgevoice.fit import telling

    for line in telling.heading(found):
        echo(line, err=err)
    out = sys.stderr if err else sys.stdout
    console = Console(file=out, width=None if out.isatty() else WIDTH, highlight=False)
    if found.choices:
        console.print(telling.table(found))
    for line in telling.verdict(found):
        echo(line, err=err)


def _deliver(made: Struct, json_file: str) -> None:
    from edgevoice import files
    from edgevoice.bench.result.result import encoded

    text = encoded(made)
    if json_file == "-":
        echo_json(text, nl=False)
        return
    files.deliver(Path(json_file), [text], "the result", "--json FILE")


def _write(context: Context, resolved: Resolved, best: Choice) -> None:
    """Write the best set into the configuration, and print what changes."""
    from edgevoice.config import config_path

    changed = {}
    for role in ("slm", "stt", "tts"):
        key, value = f"models.{role}", getattr(best, role)
        section, name = key.split(".", 1)
        old = getattr(getattr(resolved.config, section), name)
        if old != value:
            changed[key] = value
            echo(f"{key}: {old or 'not set'} → {value}", err=True)
        origin = resolved.origins[key]
        if origin != "default" and not origin.startswith("file "):
            echo(f"  {origin} still overrides it", err=True)
    if not changed:
        echo("the configuration already has these models", err=True)
        return
    context.remember_all(changed)
    echo(f"written to {context.path or config_path()}", err=True)
