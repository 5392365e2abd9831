"""The options of `bench run` that measure more than turns: sweeps, starts and stages."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgevoice.cli import Context, complain, echo
from edgevoice.cli.measured import config, kept, make_shape, plan
from edgevoice.errors import ConfigError, EdgevoiceError, StorageError, UsageError

if TYPE_CHECKING:
    from edgevoice.bench.matrix.axes import Combination
    from edgevoice.bench.matrix.sweep import SweepPoint
    from edgevoice.events import Role
    from edgevoice.settings import Config

STAGE_NAMES = ("vad", "endpoint", "stt", "llm", "tts")
ALL_STAGES = "all"
TABLE = "sweep.tsv"

MATRIX_OPTIONS: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...] = (
    click.option(
        "--sweep",
        "sweep",
        multiple=True,
        metavar="KEY=V1,V2…",
        help="Values to combine: slm, stt, voice or a setting; repeatable. --json names a folder.",
    ),
    click.option(
        "--shapes", is_flag=True, help="Replace a missing language model by its synthetic model."
    ),
    click.option(
        "--cold",
        is_flag=True,
        help="Measure program starts up to the first reply, cold and warm alternately.",
    ),
    click.option(
        "--stage",
        "stages",
        multiple=True,
        type=click.Choice([*STAGE_NAMES, ALL_STAGES]),
        help="Measure only this stage, as fast as possible; repeatable.",
    ),
    click.option(
        "--repeat",
        type=click.IntRange(1),
        metavar="N",
        help="Repetitions of the questions with --stage [1], of the starts with --cold [5].",
    ),
)


def command(given: dict[str, Any], budgets: bool) -> str:
    """What these options ask for: `run`, `starts` or `stages`. Raises UsageError if they exclude
    each other."""
    stages = given["stages"]
    asked = "starts" if given["cold"] else "stages" if stages else "run"
    if given["cold"] and stages:
        raise _apart("--cold", "--stage")
    if asked == "run" and given["repeat"]:
        raise UsageError("--repeat goes with --cold or --stage", remedy="leave it out")
    if asked != "run":
        option = "--cold" if given["cold"] else "--stage"
        for other in ("conversation", "through_devices", "trace"):
            if given[other]:
                raise _apart(option, f"--{other.replace('_', '-')}")
    if given["sweep"]:
        if budgets:
            raise _apart("--sweep", "--budget")
        if given["trace"]:
            raise _apart("--sweep", "--trace")
    wanted = STAGE_NAMES if ALL_STAGES in stages else stages
    given["stages"] = tuple(stage for stage in STAGE_NAMES if stage in wanted)
    return asked


def _current(context: Context, sweep: Sequence[str]) -> list[str]:
    """The axes of a sweep, with current names of settings."""
    parted = [axis.partition("=") for axis in sweep]
    return [context.current(key.strip()) + equals + values for key, equals, values in parted]


def _apart(one: str, other: str) -> UsageError:
    return UsageError(f"{one} and {other} cannot go together", remedy="leave one of them out")


def sweep(context: Context, asked: str, given: dict[str, Any]) -> bool:
    """Measure every possible combination, and report the others; returns whether all of them were
    measured to their end. Raises EdgevoiceError if none is possible."""
    from edgevoice.bench.statistics.extra import need_scipy

    need_scipy("--sweep")
    folder = _folder(given["json_file"])
    possible, lost = _combinations(context, asked, given)
    from edgevoice.bench.jobs.progress import shown
    from edgevoice.bench.matrix.sweep import Sweep, SweepPoint, file_names

    names = file_names([cell for cell, _ in possible])
    with shown() as progress:
        base = plan(asked, possible[0][1], given, progress)
        points = [
            SweepPoint(cell, replace(base, config=settings), folder / names[number])
            for number, (cell, settings) in enumerate(possible)
        ]
        everything = [*points, *(SweepPoint(cell, base, folder, failed=e) for cell, e in lost)]
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"the folder cannot be made: {error.strerror}",
                where=str(folder),
                remedy="choose another place with --json FOLDER",
            ) from None

        def measured() -> int:
            return sum(point.result is not None for point in points)

        with kept(measured, "combination", progress, lambda: _deliver(everything, folder)):
            Sweep(points, progress).run()
    return all(point.failed is None for point in everything)


def _combinations(
    context: Context, asked: str, given: dict[str, Any]
) -> tuple[list[tuple[Combination, Config]], list[tuple[Combination, EdgevoiceError]]]:
    """The possible combinations, and the impossible ones with their errors."""
    from edgevoice.bench.matrix.axes import axes, cells
    from edgevoice.bench.matrix.validation import resolved
    from edgevoice.bench.stages.stages import STAGE_ROLES as ROLES
    from edgevoice.config import keys

    found = axes(_current(context, given["sweep"]), set(keys()))
    config(context, given)  # reports once what is wrong for all of them

    def load(settings: Mapping[str, str]) -> Config:
        try:
            return config(context, given, settings)
        except ConfigError as error:
            raise ConfigError(error.what, where="--sweep", remedy=error.remedy) from None

    make = make_shape if given["shapes"] else None
    alone: list[Role] = []
    if asked == "stages":
        # The end-of-turn detector may be missing: that stage is then reported and left out.
        alone = [ROLES[stage] for stage in given["stages"] if stage != "endpoint"] or ["vad"]
    possible: list[tuple[Combination, Config]] = []
    lost: list[tuple[Combination, EdgevoiceError]] = []
    for cell in cells(found):
        try:
            possible.append(resolved(cell, load, make, alone))
        except EdgevoiceError as error:
            lost.append((cell, error))
            complain(f"not measured: {cell.label}: {error}")
    if not possible:
        raise UsageError(
            f"none of the {len(lost)} combinations can be measured",
            where="--sweep",
            remedy="the messages above say why of each",
        )
    return possible, lost


def _folder(named: str | None) -> Path:
    """Where the results go; checked before hours of work. Raises UsageError, StorageError."""
    if named == "-":
        raise UsageError(
            "a sweep writes a file for each combination, not to standard output",
            where="--json",
            remedy="--json FOLDER",
        )
    folder = Path(named or f"sweep-{datetime.datetime.now():%Y%m%d-%H%M%S}")
    if folder.exists() and (not folder.is_dir() or any(folder.glob("*.json"))):
        raise UsageError(
            "there are results there already" if folder.is_dir() else "that is a file",
            where=str(folder),
            remedy="--json FOLDER, with a new or an empty one",
        )
    if not folder.parent.is_dir():
        raise StorageError(
            "there is no such folder for the results", where=str(folder.parent), remedy="--json"
        )
    return folder


def _deliver(points: list[SweepPoint], folder: Path) -> None:
    """Print the table, and write it beside the results."""
    from edgevoice import files
    from edgevoice.bench.matrix.text import rows, table

    for line in table(points):
        echo(line)
    files.deliver(folder / TABLE, [rows(points)], "the table", "--json FOLDER")
    echo(f"written to {folder}: edgevoice bench report {folder}/*.json", err=True)
