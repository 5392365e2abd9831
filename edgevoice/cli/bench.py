"""`bench`: how long answers take on this machine, and where the time goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from edgevoice.cli import Context, pass_context
from edgevoice.cli.compare import budget_option, compare, keeps, limits
from edgevoice.cli.matrix import MATRIX_OPTIONS, command, sweep
from edgevoice.cli.measured import measure
from edgevoice.cli.report import report, trace
from edgevoice.cli.shape import shape
from edgevoice.errors import UsageError

Option = Callable[[Callable[..., Any]], Callable[..., Any]]

MODEL_OPTIONS: tuple[Option, ...] = (
    click.option("--slm", metavar="NAME", help="Language model, by its name in `models list`."),
    click.option("--stt", metavar="NAME", help="Transcription model."),
    click.option("--tts", metavar="NAME", help="Voice."),
)
RECORDINGS: tuple[Option, ...] = (
    click.option(
        "--only",
        metavar="PATTERN",
        default="",
        help="Use only recordings with a matching name or kind, for example cv-*.",
    ),
    click.option(
        "--limit",
        type=click.IntRange(0),
        default=0,
        metavar="N",
        help="Use only N questions, sampled evenly.",
    ),
)
OUTPUT: tuple[Option, ...] = (
    click.option(
        "--json",
        "json_file",
        type=click.Path(),
        help="Result file [bench-DATE-TIME.json]; - is standard output.",
    ),
)
DEVICES: tuple[Option, ...] = (
    click.option(
        "--through-devices",
        is_flag=True,
        help="Use the configured microphone and speaker; needs --play-to.",
    ),
    click.option(
        "--play-to",
        metavar="DEVICE",
        default="",
        help="Output device that the microphone hears; questions are played there.",
    ),
)


def options(*groups: tuple[Option, ...]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Several groups of options, in this order."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return decorate


questions_option = click.option(
    "--questions",
    type=click.File("rb"),
    help="File with questions to synthesize, one per line; - is standard input.",
)
conversation_option = click.option(
    "--conversation", is_flag=True, help="Keep one conversation for all questions."
)
warm_up_option = click.option(
    "--warm-up",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Number of turns that are not counted.",
)
corpus_option = click.option(
    "--corpus", type=click.Path(path_type=Path, file_okay=True), help="Folder with WAV files."
)


@click.group()
def bench() -> None:
    """Measure the response time on this machine, and where the time goes.

    docs/bench.md explains the figures and the file.
    """


bench.add_command(shape)
bench.add_command(compare)
bench.add_command(report)
bench.add_command(trace)


@bench.command()
@corpus_option
@questions_option
@options(RECORDINGS)
@click.option(
    "--baseline", is_flag=True, help="Also measure the plain sequence, question by question."
)
@conversation_option
@warm_up_option
@click.option(
    "--trace",
    type=click.Path(path_type=Path),
    help="Also write every event as JSON lines, for `bench trace`.",
)
@options(MATRIX_OPTIONS, DEVICES, MODEL_OPTIONS, OUTPUT)
@budget_option
@pass_context
def run(context: Context, budgets: tuple[str, ...], **given: Any) -> None:
    """Ask questions in real time and measure every reply.

    Questions are synthesized from a built-in list, or come from the WAV files of a folder.
    docs/bench.md explains --sweep, --cold and --stage.
    """
    if given["conversation"] and given["baseline"]:
        raise UsageError(
            "--baseline asks each question by itself, --conversation all in a row",
            remedy="leave one of them out",
        )
    asked = limits(budgets)
    wanted = command(given, bool(budgets))
    if given["sweep"]:
        click.get_current_context().exit(0 if sweep(context, wanted, given) else 1)
    result = measure(context, wanted, given)
    if not keeps(result, asked, err=given["json_file"] == "-"):
        click.get_current_context().exit(1)


@bench.command()
@corpus_option
@options(RECORDINGS)
@click.option(
    "--technique",
    "techniques",
    multiple=True,
    metavar="NAME",
    help="Turn off only this technique, by its name in the table; repeatable.",
)
@warm_up_option
@options(DEVICES, MODEL_OPTIONS, OUTPUT)
@pass_context
def switches(context: Context, techniques: tuple[str, ...], **given: Any) -> None:
    """Turn off each latency technique in turn, and print its effect as a Markdown table.

    Every question is asked with all techniques on, and once more for each that is off.
    """
    from edgevoice.bench.driver.ablation import TECHNIQUES

    if unknown := [name for name in techniques if name not in TECHNIQUES]:
        raise UsageError(
            f"no technique is called {unknown[0]!r}",
            where="--technique",
            remedy=f"one of: {', '.join(TECHNIQUES)}",
        )
    measure(context, "switches", {**given, "techniques": techniques})


@bench.command()
@corpus_option
@options(RECORDINGS)
@click.option(
    "--at-least",
    "least_pause",
    type=click.FloatRange(0.0),
    default=0.3,
    show_default=True,
    metavar="SECONDS",
    help="Least length of the longest pause in a recording, in seconds.",
)
@options(DEVICES, MODEL_OPTIONS, OUTPUT)
@pass_context
def pauses(context: Context, **given: Any) -> None:
    """Play recordings of people who pause, and count cut-offs and dropped questions.

    Uses the recordings whose manifest.tsv names a pause, in real time. Exits with 1 if a reply
    began too early, or a question was dropped.
    """
    if not given["corpus"]:
        raise UsageError(
            "pauses are in recordings of people: no --corpus was given",
            remedy="edgevoice bench pauses --corpus FOLDER",
        )
    result = measure(context, "pauses", {**given, "warm_up": 0})
    s = result.variants[0].summary
    click.get_current_context().exit(1 if s.cut_off or s.dropped else 0)


@bench.command()
@corpus_option
@options(RECORDINGS)
@click.option("--stt", metavar="NAME", help="Transcription model.")
@options(OUTPUT)
@pass_context
def recognition(context: Context, **given: Any) -> None:
    """Compare clip and full-window transcription: word error rate and time.

    Uses the recordings of a corpus whose manifest.tsv holds a person's transcript, as fast as
    possible.
    """
    if not given["corpus"]:
        raise UsageError(
            "word errors are counted on recordings of people: no --corpus was given",
            remedy="edgevoice bench recognition --corpus FOLDER",
        )
    measure(context, "recognition", given)
