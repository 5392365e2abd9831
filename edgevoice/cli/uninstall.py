"""`uninstall`: list and delete what edgevoice wrote."""

from __future__ import annotations

import click

from edgevoice.cli import Context, echo, pass_context


@click.command()
@click.option("--yes", is_flag=True, help="Delete without asking.")
@pass_context
def uninstall(context: Context, yes: bool) -> None:
    """List and delete what edgevoice wrote.

    The configuration, models, caches and recorded turns. The program itself stays, and so do traces
    and sound files that you named.
    """
    from edgevoice.models.disk import size_text
    from edgevoice.models.store import Store
    from edgevoice.uninstall import delete, written

    found = written(Store(context.resolve().config), context.path)
    for each in found:
        echo(f"{each.path}\t{size_text(each.size)}\t{each.what}")
    total = size_text(sum(each.size for each in found))
    if not found:
        echo("Nothing to delete.")
    elif yes or click.confirm(f"Delete {total}?"):
        for folder in delete(found):
            echo(f"{folder}\tstays: it has other files")
        echo(f"{total} freed")
    echo("The program itself: pip uninstall edgevoice")
