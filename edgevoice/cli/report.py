"""`bench report` and `bench trace`: show measurements."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgevoice.cli import complain, echo, echo_json
from edgevoice.errors import UsageError

if TYPE_CHECKING:
    from edgevoice.bench.report.report import Report


@click.command()
@click.argument("files", nargs=-1, metavar="FILE…")
@click.option(
    "--html", metavar="FILE", help="Write one HTML page with charts; - is standard output."
)
def report(files: tuple[str, ...], html: str | None) -> None:
    """Show results of `bench`, one or several side by side.

    Draws the waterfall of the median and the worst turn, distributions and the run in time.
    Unreadable files are named, and the others are shown. docs/results.md explains the charts.
    """
    if not files:
        raise UsageError(
            "no result was named",
            remedy="edgevoice bench report FILE, a result of `edgevoice bench run`",
        )
    found = _loaded([Path(name) for name in files])
    if html is not None:
        _write_page(found, html)
        return
    from edgevoice.bench.report.text import text

    for line in text(found):
        echo(line)


def _loaded(paths: list[Path]) -> Report:
    """The readable files; warns about the others. Raises UsageError if none is readable."""
    from edgevoice.bench.report.report import load

    found = load(paths)
    if not found.sources and len(paths) == 1:
        raise found.problems[0]
    if not found.sources:
        problems = "\n".join(f"  {error.what} ({error.where})" for error in found.problems)
        raise UsageError(
            f"none of the {len(paths)} files can be shown:\n{problems}",
            remedy="name files that `edgevoice bench run` has written",
        )
    for error in found.problems:
        complain(f"not shown: {error}")
    return found


def _write_page(found: Report, target: str) -> None:
    from edgevoice.bench.report.page import page

    text = page(found)
    if target == "-":
        echo(text, nl=False)
    else:
        _write(Path(target), [text], "the page", "--html FILE")


@click.command()
@click.argument("file", metavar="TRACE", type=click.Path(path_type=Path))
@click.option(
    "--out",
    metavar="FILE",
    help="Output file [default: TRACE.perfetto.json]; - is standard output.",
)
def trace(file: Path, out: str | None) -> None:
    """Convert a trace for Perfetto and chrome://tracing.

    TRACE is a file of `edgevoice run --trace` or `edgevoice bench run --trace`. There is a
    track for each stage, for the user's speech, for the response time and for its spans.
    """
    from edgevoice.bench.trace.perfetto import document
    from edgevoice.bench.trace.trace_file import traced

    lines = document(traced(file, complain))
    if out == "-":
        for line in lines:
            echo_json(line, nl=False)
        return
    path = Path(out) if out else file.with_suffix(".perfetto.json")
    _write(path, lines, "the converted trace", "--out FILE")


def _write(path: Path, text: list[str], what: str, option: str) -> None:
    from edgevoice import files

    files.deliver(path, text, what, option)
    echo(f"written to {path}", err=True)
