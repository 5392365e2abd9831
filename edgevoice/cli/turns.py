"""`bench turns`: conversations with more than one in the room, and who got a word in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgevoice.cli import Context, echo, pass_context
from edgevoice.cli.bench import MODEL_OPTIONS, OUTPUT, options, trace_option
from edgevoice.cli.measured import config, deliver, kept, target, traced
from edgevoice.errors import DeviceError, UsageError

if TYPE_CHECKING:
    from edgevoice.bench.jobs.progress import BenchProgress
    from edgevoice.bench.scenarios.assets import ScenarioScript
    from edgevoice.bench.scenarios.scenario import Scenario
    from edgevoice.settings import Config

REPLY = 60
"""Tokens of a reply at most, unless another number is set: a story of a quarter of a minute is long
enough to be interrupted."""


@click.command()
@click.argument(
    "scenarios", nargs=-1, metavar="[SCENARIO|FILE|FOLDER]…", type=click.Path(path_type=Path)
)
@click.option("--list", "only_list", is_flag=True, help="List the scenarios, and run none.")
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Use only N scenarios, sampled evenly.",
)
@click.option(
    "--repeat",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Number of runs of each scenario.",
)
@click.option(
    "--corpus",
    type=click.Path(path_type=Path),
    help="Folder with the recordings that some scenarios need; without it they are skipped.",
)
@click.option(
    "--hears",
    metavar="DEVICE",
    default="room",
    show_default=True,
    help="Input device that records what the speaker plays.",
)
@click.option(
    "--speaks",
    metavar="DEVICE",
    default="room",
    show_default=True,
    help="Output device that the microphone hears.",
)
@trace_option
@options(MODEL_OPTIONS, OUTPUT)
@pass_context
def turns(
    context: Context,
    scenarios: tuple[Path, ...],
    only_list: bool,
    limit: int,
    repeat: int,
    corpus: Path | None,
    hears: str,
    speaks: str,
    **given: Any,
) -> None:
    """Run turn-taking scenarios through sound devices.

    A scenario says who speaks when, in which room, and what must happen. Without a name, the
    scenarios that ship are run. Needs a microphone and a speaker made of loopback devices.
    Exits with 1 if a scenario fails. docs/scenarios.md explains the format.
    """
    from edgevoice.bench.scenarios.scenario import variants
    from edgevoice.bench.scenarios.scenario_file import listed, read
    from edgevoice.bench.scenarios.text import listing, whole
    from edgevoice.config import default

    found = [(path, read(path)) for path in listed(scenarios)]
    if only_list:
        for line in listing([one for _, one in found]):
            echo(line)
        return
    where = target(given["json_file"])
    if corpus is not None and not corpus.is_dir():
        raise UsageError("no such folder", where=str(corpus), remedy="name one with recordings")
    settings = config(context, given)
    if settings.slm.max_tokens == default("slm.max_tokens"):
        settings = config(context, given, {"slm.max_tokens": str(REPLY)})
    _prove_devices(settings, hears, speaks)
    left_out = [path.name for path, one in found if one.from_corpus and corpus is None]
    wanted = [
        (path, one) for path, each in found if path.name not in left_out for one in variants(each)
    ]
    if not wanted:
        raise UsageError(
            f"recordings are needed for {', '.join(left_out)}", remedy="--corpus FOLDER"
        )
    from edgevoice.bench.corpus.corpus import spread
    from edgevoice.bench.jobs.progress import shown
    from edgevoice.bench.scenarios.run import ScenarioPlan, ScenarioRun

    with traced(given["trace"]) as trace, shown() as progress:
        for name in left_out:
            progress.say(f"{name} needs recordings (--corpus): left out")
        plan = ScenarioPlan(
            config=settings,
            scripts=_scripts(spread(wanted, limit), settings, corpus, progress),
            hears=hears,
            speaks=speaks,
            repeat=repeat,
            left_out=left_out,
        )
        run = ScenarioRun(plan, progress, trace)

        def hand_over() -> None:
            result = run.result()
            deliver(result, whole(result), where)

        with kept(lambda: len(run.outcomes), "scenario", progress, hand_over):
            run.run()
    click.get_current_context().exit(1 if any(one.failed for one in run.outcomes) else 0)


def _prove_devices(settings: Config, hears: str, speaks: str) -> None:
    """See that all four devices are there. Raises DeviceError."""
    from edgevoice.devices.listing import find

    find("input", settings.audio.input)
    find("output", settings.audio.output)
    try:
        find("input", hears)
        find("output", speaks)
    except DeviceError as error:
        raise DeviceError(
            error.what,
            where="--hears, --speaks",
            remedy="scenarios need loopback devices: a virtual cable for the speaker and one for "
            "the microphone, or on Linux `make null-sinks`; docs/scenarios.md tells how",
        ) from None


def _scripts(
    wanted: list[tuple[Path, Scenario]],
    settings: Config,
    corpus: Path | None,
    progress: BenchProgress,
) -> list[ScenarioScript]:
    """All sound that is needed, made before anything begins."""
    from edgevoice.bench.corpus.preparation import detector, prove_models, steady_voice
    from edgevoice.bench.scenarios.assets import ScenarioAssets

    prove_models(settings)
    progress.begin("making the sounds", 0.0)
    sounds = ScenarioAssets(steady_voice(settings), detector(settings), corpus)
    return [sounds.script(one, path) for path, one in wanted]
