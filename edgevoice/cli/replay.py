"""`replay`: a recorded turn, run again with other models or settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgevoice.cli import Context, echo, echo_json, pass_context
from edgevoice.cli.bench import MODEL_OPTIONS, options
from edgevoice.cli.measured import FIXED_SEED, kept, named_models, target
from edgevoice.errors import EdgevoiceError, UsageError
from edgevoice.places import expanded

if TYPE_CHECKING:
    from edgevoice.bench.driver.bench import Bench
    from edgevoice.bench.jobs.progress import BenchProgress
    from edgevoice.bench.replay.replay import ReplayableTurn
    from edgevoice.events import Event
    from edgevoice.settings import Config


@click.command()
@click.argument("words", nargs=-1, metavar="TURN [KEY=VALUE]…")
@options(MODEL_OPTIONS)
@click.option(
    "--times",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    metavar="N",
    help="Number of runs; the median run is shown.",
)
@click.option(
    "--warm-up",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Number of runs that are not counted.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write the result, for `bench compare` and `bench report`.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Write the result to standard output, and the rest to standard error.",
)
@click.option(
    "--list", "folder", metavar="DIR", help="List the recorded turns in this folder, and run none."
)
@pass_context
def replay(context: Context, words: tuple[str, ...], **given: Any) -> None:
    """Repeat a recorded turn, and show both waterfalls together.

    TURN is a file that `edgevoice run --record-turns DIR` wrote, or DIR and a number, or DIR and
    `last`. With recordings.folder set, the number or `last` is enough. Models and settings are
    those of the recording, unless you name others, for example turn.silence_ms=500. docs/replay.md
    explains the output.
    """
    if given["folder"]:
        _list(given["folder"], words)
        return
    turn, named_settings = _sorted(words)
    settings = {context.current(key): value for key, value in named_settings.items()}
    from edgevoice.bench.jobs.progress import shown
    from edgevoice.recordings.folder import named

    file = named(turn, context.load(context.settings).config.recordings.folder)
    out = target(given["out"], "--out") if given["out"] else None
    as_json = given["as_json"] or given["out"] == "-"
    with shown() as progress:
        recording, config = _prepared(context, file, settings, given, progress)
        from edgevoice.bench.driver.bench import Bench
        from edgevoice.bench.driver.plan import BenchPlan

        plan = BenchPlan(
            command="replay",
            config=config,
            questions=[recording.question] * given["times"],
            source=str(file),
            warm_ups=given["warm_up"],
        )
        events: list[Event] = []
        bench = Bench(plan, progress, events.append)
        state = bench.run_state

        def counted_runs() -> int:
            return sum(not turn.warm_up for turn in state.turns)

        def show() -> None:
            _deliver(bench, recording, config, events, out, as_json)

        with kept(counted_runs, "run", progress, show), state.watched():
            bench.run()


def _sorted(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The words that name a turn, and the settings."""
    turn, settings = [], {}
    for word in words:
        key, equals, value = word.partition("=")
        if equals and "." in key and not Path(word).exists():
            settings[key.strip()] = value.strip()
        else:
            turn.append(word)
    return turn, settings


def _prepared(
    context: Context,
    file: Path,
    settings: dict[str, str],
    given: dict[str, Any],
    progress: BenchProgress,
) -> tuple[ReplayableTurn, Config]:
    """The recording and the configuration for it. Raises EdgevoiceError."""
    from edgevoice.bench.corpus.preparation import prove_models
    from edgevoice.bench.replay.replay import load, made_with
    from edgevoice.engines.registry import load_chosen
    from edgevoice.models.store import Store
    from edgevoice.recordings.recorded_turn import read

    recorded = made_with(read(file), progress.say)
    overrides = {**recorded, **context.settings, **named_models(given), **settings}
    config = context.load(overrides).config
    if config.slm.seed < 0:
        config = context.load({**overrides, **FIXED_SEED}).config
    prove_models(config)
    Store(config).optional("turn")
    return load(file, load_chosen("vad", config), progress.say), config


def _deliver(
    bench: Bench,
    recording: ReplayableTurn,
    config: Config,
    events: Sequence[Event],
    out: Path | None,
    as_json: bool,
) -> None:
    """Print both, and write the result if asked."""
    from edgevoice.bench.replay.replay import replayed
    from edgevoice.bench.replay.text import render
    from edgevoice.bench.result.result import encoded, write

    run_state = bench.run_state
    made = replayed(recording, config, dict(run_state.models), run_state.turns, events)
    for line in render(made):
        echo(line, err=as_json)
    result = made.beside(run_state.result())
    if as_json:
        echo_json(encoded(result), nl=False)
    if out is not None:
        write(out, result, "--out FILE")
        echo(f"written to {out}", err=True)


def _list(folder: str, words: Sequence[str]) -> None:
    if words:
        raise UsageError(
            "--list shows a folder, and takes no turn", remedy=f"edgevoice replay --list {folder}"
        )
    from edgevoice.bench.replay.text import listing
    from edgevoice.recordings.folder import RECORD_REMEDY, RecordingsFolder

    path = expanded(folder)
    found = RecordingsFolder(path).turns()
    if not found:
        raise EdgevoiceError("the folder has no turns", where=folder, remedy=RECORD_REMEDY)
    for line in listing(found):
        echo(line)
