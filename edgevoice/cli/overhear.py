"""`bench overhear`: how often it answers what is meant for nobody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgevoice.cli import Context, echo, echo_json, pass_context
from edgevoice.cli.bench import OUTPUT, options
from edgevoice.cli.measured import target

if TYPE_CHECKING:
    from edgevoice.bench.overhearing import Result


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--only", metavar="PATTERN", default="", help="Sounds whose name or kind fits.")
@click.option(
    "--minutes",
    type=click.FloatRange(0.1, 200.0),
    default=10.0,
    show_default=True,
    help="How long each kind is heard, over and over.",
)
@click.option(
    "--level",
    type=click.FloatRange(-90.0, 0.0),
    metavar="DBFS",
    help="How loud each is; as recorded without it.",
)
@click.option("--stt", metavar="NAME", help="Recognizer.")
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
    """Let it hear noise, and count how often it answers.

    Every kind of sound that the manifest.tsv of FOLDER tells of, or else each WAV file in it, and
    silence. The configured ears hear them on virtual time, so that an hour takes minutes; nothing
    is played. With `--set address.mode=wake` a wake word comes first, as it would in use.
    """
    where = target(json_file)
    config = context.load({**context.settings, **({"models.stt": stt} if stt else {})}).config
    from edgevoice.bench.corpus import chosen, listed
    from edgevoice.bench.offline import hearing_engines
    from edgevoice.bench.overhearing import Result, measured, sounds
    from edgevoice.bench.preparing import prove_models
    from edgevoice.bench.progress import shown

    with shown() as progress:
        rows = chosen(listed(folder, progress.say)[0], only)
        prove_models(config, ("vad", "stt"))
        progress.begin("loading the ears", 0.0)
        engines = hearing_engines(config)
        done = []
        kinds = len({row.kind or row.file.stem for row in rows}) + 1
        progress.begin("listening", kinds * 60 * minutes)
        try:
            for kind, files, sound in sounds(rows, 60 * minutes, level, progress.say):
                one = measured(config, engines, kind, files, sound)
                done.append(one)
                told = f"{kind}: {one.begun} begun, {one.answered} answered"
                progress.done(60 * minutes, told)
        finally:
            if done:
                _deliver(Result(address=config.address.mode, overheard=tuple(done)), where)


def _deliver(result: Result, where: Path | None) -> None:
    from edgevoice import files
    from edgevoice.bench.overhearing import table
    from edgevoice.bench.result import encoded

    for line in table(result.overheard):
        echo(line, err=where is None)
    if where is None:
        echo_json(encoded(result), nl=False)
        return
    files.deliver(where, [encoded(result)], "the result", "--json FILE")
    echo(f"written to {where}", err=True)
