"""`bench compare`: what changed between two results; and the budgets that a run must keep."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgevoice.cli import complain, echo
from edgevoice.cli.measured import deliver
from edgevoice.errors import EdgevoiceError, UsageError

if TYPE_CHECKING:
    from edgevoice.bench.compare.budgets import Budget
    from edgevoice.bench.compare.compare import ComparisonResult
    from edgevoice.bench.result.result import BenchResult

budget_option = click.option(
    "--budget",
    "budgets",
    multiple=True,
    metavar="NAME.STATISTIC=LIMIT",
    help="Exit with 1 if a limit is exceeded, for example first_audio.p95=900ms. Repeatable.",
)


@click.command()
@click.argument("before", metavar="A", type=click.Path(path_type=Path))
@click.argument("after", metavar="B", type=click.Path(path_type=Path))
@click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="NAME",
    help="Variant to compare [as set]; given twice: first A's, then B's.",
)
@click.option(
    "--least",
    default="5%",
    show_default=True,
    metavar="SHARE",
    help="Smallest change that matters, as a share of the value before.",
)
@budget_option
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False),
    help="Write every figure as JSON; - is standard output.",
)
@click.option("--markdown", "as_markdown", is_flag=True, help="Write Markdown, for a pull request.")
def compare(
    before: Path,
    after: Path,
    variants: tuple[str, ...],
    least: str,
    budgets: tuple[str, ...],
    json_file: str | None,
    as_markdown: bool,
) -> None:
    """Compare result B with result A, and separate changes from noise.

    Exits with 1 if something became slower or worse, or if B exceeds a budget. Exits with 2 if
    the two cannot be compared. docs/results.md explains the method.
    """
    matters = _share(least)
    if len(variants) > 2:
        raise UsageError("--variant was given more than twice", remedy="one for A, one for B")
    from edgevoice.bench.result.result import AS_SET
    from edgevoice.bench.statistics.extra import need_scipy

    names = variants or (AS_SET,)
    with _no_verdict():
        need_scipy("edgevoice bench compare")
        compared = _compared(before, after, (names[0], names[-1]), matters, budgets)
        from edgevoice.bench.compare import text as compare_text

        lines = (compare_text.markdown if as_markdown else compare_text.render)(compared)
        if json_file is not None:
            deliver(compared, lines, None if json_file == "-" else Path(json_file))
        else:
            echo("\n".join(lines))
    broken = any(not outcome.met for outcome in compared.budgets)
    click.get_current_context().exit(1 if compared.regressed or broken else 0)


def limits(budgets: tuple[str, ...], spans: tuple[str, ...] = ()) -> list[Budget]:
    """The budgets that were named. Raises UsageError."""
    from edgevoice import compatibility
    from edgevoice.bench.compare.budgets import parse, renamed

    parsed = [parse(text, spans) for text in budgets]
    if old := renamed(budgets):
        complain(compatibility.notice(old))
    return parsed


def keeps(result: BenchResult, budgets: list[Budget], err: bool = False) -> bool:
    """Tell of each budget whether the run keeps it; returns whether it keeps them all."""
    from edgevoice.bench.compare.budgets import check

    outcomes = check(budgets, result.variants[0].summary)
    for outcome in outcomes:
        echo(outcome.message, err=err)
    return all(outcome.met for outcome in outcomes)


def _compared(
    before: Path, after: Path, variants: tuple[str, str], least: float, budgets: tuple[str, ...]
) -> ComparisonResult:
    from msgspec.structs import replace

    from edgevoice.bench.compare.budgets import check
    from edgevoice.bench.compare.compare import compare, variant_of
    from edgevoice.bench.result.result import read
    from edgevoice.bench.result.summary import recounted

    results = recounted(read(before)), recounted(read(after))
    summary = variant_of(results[1], variants[1], str(after)).summary
    asked = limits(budgets, tuple(summary.spans))
    compared = compare(*results, (str(before), str(after)), variants, least)
    return replace(compared, budgets=tuple(check(asked, summary)))


def _share(text: str) -> float:
    """A share, as `5%` or `0.05`."""
    number, percent = text.strip().removesuffix("%"), text.strip().endswith("%")
    try:
        share = float(number) / (100 if percent else 1)
    except ValueError:
        share = -1.0
    if not 0.0 < share < 1.0:
        raise UsageError(
            f"not a share between nothing and all: {text!r}",
            where="--least",
            remedy="for example --least 5%",
        )
    return share


@contextmanager
def _no_verdict() -> Iterator[None]:
    """Whatever fails here is no regression, and must not exit as one."""
    try:
        yield
    except UsageError:
        raise
    except EdgevoiceError as error:
        raise UsageError(error.what, where=error.where, remedy=error.remedy) from None
