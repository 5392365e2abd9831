"""What the commands of `bench` share: planning, running, and delivering the result."""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from edgevoice.cli import Context, echo, echo_json
from edgevoice.cli.questions import question_lines
from edgevoice.errors import EdgevoiceError, StorageError, UsageError

if TYPE_CHECKING:
    from msgspec import Struct

    from edgevoice.bench.driver.plan import BenchPlan
    from edgevoice.bench.driver.run_state import RunState
    from edgevoice.bench.jobs.progress import BenchProgress
    from edgevoice.bench.result.result import BenchResult
    from edgevoice.catalog import Entry
    from edgevoice.events import Role
    from edgevoice.models.shape_table import Architecture
    from edgevoice.models.store import Store
    from edgevoice.settings import Config
    from edgevoice.trace import TraceFile

FIXED_SEED = {"slm.seed": "1"}
"""Replaces a random seed."""

STARTS = 5
"""Cold starts, and as many warm ones, by default."""


PLANNED = (
    *("conversation", "through_devices", "play_to", "stages"),
    *("seconds", "interrupt_every"),
)
"""Options that a plan takes as they are."""


class Measuring(Protocol):
    """Something that measures; what is done is in its `run_state` at any moment."""

    run_state: RunState

    def run(self) -> None: ...


def measure(context: Context, command: str, given: dict[str, Any]) -> BenchResult:
    """Plan `command`, run it, and deliver the result."""
    where = target(given["json_file"])
    settings = config(context, given)
    from edgevoice.bench.jobs.progress import shown
    from edgevoice.bench.report.text import drawn

    if given.get("shapes"):
        from edgevoice.bench.matrix.axes import Combination
        from edgevoice.bench.matrix.validation import resolved

        settings = resolved(Combination({}, {}), partial(config, context, given), make_shape)[1]
    with traced(given.get("trace")) as trace, shown() as progress:
        todo = plan(command, settings, given, progress)
        bench = runner(todo, progress, trace, where)
        return finished(bench, progress, lambda result: deliver(result, drawn(result), where))


def runner(
    plan: BenchPlan,
    progress: BenchProgress,
    trace: TraceFile | None = None,
    where: Path | None = None,
) -> Measuring:
    """The bench that runs the plan; a soak writes its result so far to `where`."""
    from edgevoice.bench.driver.bench import Bench
    from edgevoice.bench.soak.soak import SoakBench
    from edgevoice.bench.stages.cold_start import ColdStartBench
    from edgevoice.bench.stages.stages import StageBench

    match plan.command:
        case "stages":
            return StageBench(plan, progress)
        case "starts":
            return ColdStartBench(plan, progress)
        case "soak":
            return SoakBench(plan, progress, trace, where)
        case _:
            return Bench(plan, progress, trace)


def make_shape(model: Architecture, store: Store) -> Entry:
    """Make a synthetic model, with progress."""
    from edgevoice.models.progress import shown
    from edgevoice.models.shapes import make

    with shown() as progress:
        return make(model, store, progress)


@contextlib.contextmanager
def traced(path: Path | None) -> Iterator[TraceFile | None]:
    """The trace file at `path`, if any."""
    if path is None:
        yield None
        return
    from edgevoice.trace import TraceFile

    trace = TraceFile(path)
    try:
        yield trace
    finally:
        trace.close()


def finished(
    bench: Measuring, progress: BenchProgress, take: Callable[[BenchResult], None]
) -> BenchResult:
    """Run, and hand over what is done, also when it fails or is stopped."""
    state = bench.run_state
    made: list[BenchResult] = []

    def hand_over() -> None:
        made.append(state.result())
        take(made[-1])

    progress.begin("measuring the machine", 0.0)
    state.survey()
    with kept(lambda: len(state.turns), "turn", progress, hand_over):
        with state.watched():
            bench.run()
        progress.begin("measuring the machine again", 0.0)
        state.survey()
    return made[-1]


@contextlib.contextmanager
def kept(
    done: Callable[[], int], noun: str, progress: BenchProgress, hand_over: Callable[[], None]
) -> Iterator[None]:
    """Hands over what the block has done, also when it fails or is stopped, unless that is none."""
    from edgevoice.bench.result.wording import counted

    try:
        yield
    except BaseException as error:
        if many := done():
            why = "failed" if isinstance(error, EdgevoiceError) else "stopped"
            progress.say(f"{why} after {counted(many, noun)}; what was measured is kept")
            hand_over()
        raise
    hand_over()


def named_models(given: dict[str, Any]) -> dict[str, str]:
    """The settings of the models that are named on the command line."""
    keys = {"slm": "models.slm", "slm_draft": "slm.draft", "stt": "models.stt", "tts": "models.tts"}
    return {key: given[name] for name, key in keys.items() if given.get(name)}


def config(
    context: Context, given: dict[str, Any], more: Mapping[str, str] | None = None
) -> Config:
    """The configuration with the models named on the command line, and `more` settings."""
    overrides = {**context.settings, **named_models(given), **(more or {})}
    settings = context.load(overrides).config
    # The same question gets the same reply each time.
    return settings if settings.slm.seed >= 0 else context.load({**overrides, **FIXED_SEED}).config


def plan(
    command: str, settings: Config, given: dict[str, Any], progress: BenchProgress
) -> BenchPlan:
    """The plan, with its questions synthesized or read. Raises UsageError, ModelError."""
    from edgevoice.bench.corpus.preparation import (
        NEEDED_ROLES,
        asked_aloud,
        from_folder,
        prove_devices,
    )
    from edgevoice.bench.driver.plan import BenchPlan

    if given.get("through_devices") and not given["play_to"]:
        raise UsageError(
            "--through-devices needs an output device that the microphone hears",
            where="--play-to",
            remedy="edgevoice devices lists them; with software ones: `make null-sinks`, then "
            "--play-to user",
        )
    if given.get("play_to") and not given["through_devices"]:
        raise UsageError("--play-to goes with --through-devices", remedy="add --through-devices")
    if given["corpus"] and given.get("questions"):
        raise UsageError("--corpus and --questions cannot go together", remedy="leave one out")
    if given.get("through_devices"):
        prove_devices(settings, given["play_to"])
    # A stage whose model is missing is named when it is its turn.
    roles: tuple[Role, ...] = () if command == "stages" else NEEDED_ROLES
    if given["corpus"]:
        source = str(given["corpus"])
        questions, left_out = from_folder(
            given["corpus"], given["only"], given["limit"], settings, progress, roles
        )
    else:
        texts = question_lines(given["questions"]) if given.get("questions") else None
        source = given["questions"].name if texts else "built-in, synthesized"
        questions, left_out = asked_aloud(texts, given["limit"], settings, progress, roles), []
    named = {name: given[name] for name in PLANNED if name in given}
    return BenchPlan(
        command=command,
        config=settings,
        questions=questions,
        source=source,
        left_out=left_out,
        warm_ups=given.get("warm_up", 1),
        repeat=given.get("repeat") or (STARTS if command == "starts" else 1),
        **named,
    )


def target(named: str | None, option: str = "--json") -> Path | None:
    """Where the result will go, None for standard output; checked before hours of work.

    `option` names it in errors. Raises UsageError, StorageError.
    """
    if named == "-":
        return None
    now = datetime.datetime.now()
    path = Path(named or f"bench-{now:%Y%m%d-%H%M%S}.json")
    folder = path.parent
    if path.is_dir():
        raise UsageError("that is a folder", where=str(path), remedy="--json FILE")
    if not folder.is_dir():
        raise StorageError(
            "there is no such folder for the result", where=str(folder), remedy=f"{option} FILE"
        )
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise StorageError(
            "the result could not be written there",
            where=str(path),
            remedy=f"choose another place with {option} FILE",
        )
    return path


def deliver(result: Struct, lines: Iterable[str], where: Path | None) -> None:
    """Print the lines, and write the result to `where`; None: as JSON to standard output."""
    from edgevoice import files
    from edgevoice.bench.result.result import encoded

    for line in lines:
        echo(line, err=where is None)
    if where is None:
        echo_json(encoded(result), nl=False)
        return
    files.deliver(where, [encoded(result)], "the result", "--json FILE")
    echo(f"written to {where}", err=True)
