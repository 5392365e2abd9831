"""`fit`: which models answer within a budget on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgevoice.cli import Context, echo, echo_json, pass_context
from edgevoice.errors import ModelError, UsageError

if TYPE_CHECKING:
    from msgspec import Struct

    from edgevoice.bench.fitting.options import Voiced
    from edgevoice.bench.fitting.record import Choice, Fit
    from edgevoice.config import Resolved
    from edgevoice.settings import Config


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--budget", metavar="TIME", help="Limit of the response time, for example 1.0s or 900ms."
)
@click.option("--memory", metavar="SIZE", help="Memory limit, for example 3GB [all].")
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
@click.option("--again", is_flag=True, help="Ignore the cached calibration.")
@click.option(
    "--write", "writes", is_flag=True, help="Write the best set of models into the configuration."
)
@click.option(
    "--check", "checks", is_flag=True, help="Compare predictions with results of `bench run`."
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
    files: tuple[Path, ...],
    budget: str | None,
    memory: str | None,
    slm: tuple[str, ...],
    stt: tuple[str, ...],
    tts: tuple[str, ...],
    again: bool,
    writes: bool,
    checks: bool,
    json_file: str | None,
) -> None:
    """Find the models that answer within a budget on this machine, the best first.

    Calibrates the machine in about a minute, and caches the result. `fit --check FILE…`
    compares predictions with results of `bench run`.

    Exits with 0 if a set of models meets the budget, with 1 if none does.
    """
    if checks:
        _check(context, files, again, json_file)
        return
    if files:
        raise UsageError("files go with --check", remedy="edgevoice fit --check FILE…")
    if budget is None:
        raise UsageError(
            "no budget was given", where="--budget", remedy="edgevoice fit --budget 1.0s"
        )
    from edgevoice.bench.fitting import quantity

    seconds = quantity.seconds(budget)
    room = quantity.memory(memory) if memory else 0
    resolved = context.resolve()
    found = _fitted(resolved.config, seconds, room, {"slm": slm, "stt": stt, "tts": tts}, again)
    _show(found, err=json_file == "-")
    if json_file is not None:
        _deliver(found, json_file)
    if found.best is None:
        click.get_current_context().exit(1)
    elif writes:
        _write(context, resolved, found.best)
    else:
        echo("nothing was written: --write puts the best into the configuration", err=True)


def _fitted(
    config: Config, budget: float, memory: int, named: Mapping[Voiced, tuple[str, ...]], again: bool
) -> Fit:
    from edgevoice import __version__
    from edgevoice.bench.fitting.calibrating import Calibrator
    from edgevoice.bench.fitting.choosing import Limits, choices, free_disk, would
    from edgevoice.bench.fitting.options import options
    from edgevoice.bench.fitting.record import Fit
    from edgevoice.bench.fitting.unmeasured import Costs
    from edgevoice.bench.jobs.progress import shown

    wanted, problems = options(config, named)
    with shown() as progress:
        calibrator = Calibrator(config, progress, again)
        calibration = calibrator.run(wanted)
    limits = Limits(budget, memory or calibration.memory, free_disk(config))
    costs = Costs(calibration, config)
    found = choices(wanted, costs, config, limits)
    if not found:
        raise ModelError(
            "nothing could be measured, so nothing can be predicted",
            remedy="edgevoice models pull brings the smallest set that converses",
        )
    return Fit(
        edgevoice=__version__,
        budget=budget,
        memory=limits.memory,
        calibration=calibration,
        choices=tuple(found),
        best=found[0] if found[0].meets else None,
        would=tuple(would(found, limits, calibration.speeds, costs, config)),
        problems=(*problems, *calibrator.problems),
    )


def _check(context: Context, files: tuple[Path, ...], again: bool, json_file: str | None) -> None:
    if not files:
        raise UsageError("no result to check with was named", remedy="edgevoice fit --check FILE…")
    from edgevoice.bench.fitting import checking, telling
    from edgevoice.bench.fitting.calibrating import Calibrator
    from edgevoice.bench.jobs.progress import shown

    config = context.resolve().config
    runs, problems = checking.runs(files, config)
    with shown() as progress:
        calibrator = Calibrator(config, progress, again)
        calibration = calibrator.run(checking.wanted(runs))
    made = checking.check(runs, calibration, config, [*problems, *calibrator.problems])
    for line in telling.check(made):
        echo(line, err=json_file == "-")
    if json_file is not None:
        _deliver(made, json_file)


def _show(found: Fit, err: bool) -> None:
    import sys

    from rich.console import Console

    from edgevoice.bench.fitting import telling

    for line in telling.heading(found):
        echo(line, err=err)
    out = sys.stderr if err else sys.stdout
    console = Console(file=out, width=None if out.isatty() else telling.WIDTH, highlight=False)
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
    """Write what the best needs into the configuration, and tell what that changes."""
    from edgevoice.config import config_path

    changed = {}
    for key, value in best.settings.items():
        section, name = key.split(".", 1)
        old = getattr(getattr(resolved.config, section), name)
        if old != value:
            changed[key] = value
            echo(f"{key}: {old or 'not set'} → {value}", err=True)
        origin = resolved.origins[key]
        if origin != "default" and not origin.startswith("file "):
            echo(f"  {origin} still stands over it", err=True)
    if not changed:
        echo("the configuration says all of it already", err=True)
        return
    context.remember_all(changed)
    echo(f"written to {context.path or config_path()}", err=True)
