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

Option = Callable[[Callable[..., Any]], Callable[..., Any]]

MODEL_OPTIONS: tuple[Option, ...] = (
    click.option("--slm", metavar="NAME", help="Language model, by its name in `models list`."),
    click.option("--slm-draft", metavar="NAME", help="Model that opens replies, auto or off."),
    click.option("--stt", metavar="NAME", help="Transcription model."),
    click.option("--voice", "--tts", "tts", metavar="NAME", help="Voice."),
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
trace_option = click.option(
    "--trace", type=click.Path(path_type=Path), help="Also write every event as JSON lines."
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
@conversation_option
@warm_up_option
@trace_option
@options(MATRIX_OPTIONS, DEVICES, MODEL_OPTIONS, OUTPUT)
@budget_option
@pass_context
def run(context: Context, budgets: tuple[str, ...], **given: Any) -> None:
    """Ask questions in real time and measure every reply.

    Questions are synthesized from a built-in list, or come from the WAV files of a folder.
    docs/bench.md explains --sweep, --cold and --stage.
    """
    asked = limits(budgets)
    wanted = command(given, bool(budgets))
    if given["sweep"]:
        click.get_current_context().exit(0 if sweep(context, wanted, given) else 1)
    result = measure(context, wanted, given)
    if not keeps(result, asked, err=given["json_file"] == "-"):
        click.get_current_context().exit(1)
