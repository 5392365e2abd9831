"""`bench overhear`: how often the assistant answers what is not meant for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgevoice.cli import Context, echo, echo_json, pass_context
from edgevoice.cli.bench import OUTPUT, options
from edgevoice.cli.measured import target

if TYPE_CHECKING:
    from edgevoice.bench.overhear.overhear import OverhearResult


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--only", metavar="PATTERN", default="", help="Use only sounds with a matching name or kind."
)
@click.option(
    "--minutes",
    type=click.FloatRange(0.1, 200.0),
    default=10.0,
    show_default=True,
    help="Minutes of each kind of sound.",
)
@click.option(
    "--level",
    type=click.FloatRange(-90.0, 0.0),
    metavar="DBFS",
    help="Level of each sound in dBFS [default: as recorded].",
)
@click.option("--stt", metavar="NAME", help="Transcription model.")
@options(OUTPUT)
@pass_context
def overhear(
    context: Context,
    folder: Path,
    only: str,
    minutes: float,
    level: float | None,
    stt: str | None,
    json_file: str | None,
) -> None:
    """Play noise to the assistant, and count how often it answers.

    FOLDER holds WAV files, or a manifest.tsv that names and groups them; silence is added. The
    sounds are processed on virtual time, so an hour takes minutes, and nothing is played. With
    `--set activation.mode=wake` the assistant answers only after a wake word.
    """
    where = target(json_file)
    config = context.load({**context.settings, **({"models.stt": stt} if stt else {})}).config
    from edgevoice.bench.corpus.corpus import chosen, listed
    from edgevoice.bench.corpus.preparation import prove_models
    from edgevoice.bench.jobs.progress import shown
    from edgevoice.bench.overhear.offline import hearing_engines
    from edgevoice.bench.overhear.overhear import OverhearResult, measured, sounds

    with shown() as progress:
        rows = chosen(listed(folder, progress.say)[0], only)
        prove_models(config, ("vad", "stt"))
        progress.begin("loading the models", 0.0)
        engines = hearing_engines(config)
        done = []
        kinds = len({row.kind or row.file.stem for row in rows}) + 1
        progress.begin("listening", kinds * 60 * minutes)
        try:
            for kind, files, sound in sounds(rows, 60 * minutes, level, progress.say):
                one = measured(config, engines, kind, files, sound)
                done.append(one)
                text = f"{kind}: {one.begun} turns started, {one.answered} answered"
                progress.done(60 * minutes, text)
        finally:
            if done:
                _deliver(
                    OverhearResult(address=config.activation.mode, overheard=tuple(done)), where
                )


def _deliver(result: OverhearResult, where: Path | None) -> None:
    from edgevoice import files
    from edgevoice.bench.overhear.overhear import table
    from edgevoice.bench.result.result import encoded

    for line in table(result.overheard):
        echo(line, err=where is None)
    if where is None:
        echo_json(encoded(result), nl=False)
        return
    files.deliver(where, [encoded(result)], "the result", "--json FILE")
    echo(f"written to {where}", err=True)
