"""`timers`: the timers, alarms and reminders that are kept."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import click

from edgevoice.cli import echo, echo_json
from edgevoice.errors import UsageError

if TYPE_CHECKING:
    from edgevoice.skills.timers import Timer


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
@click.pass_context
def timers(ctx: click.Context, as_json: bool) -> None:
    """List timers, alarms and reminders, or cancel them.

    A running session rings them. What falls due while none runs is announced when one starts.
    """
    if ctx.invoked_subcommand is not None:
        return
    from edgevoice.skills.setup import kept_timers

    kept = kept_timers()
    if as_json:
        import msgspec

        echo_json(msgspec.json.encode(list(kept.all())).decode())
        return
    for timer in kept.all():
        echo(_line(timer, kept.now()))
    if not kept.all():
        echo("no timers")


@timers.command()
@click.argument("numbers", nargs=-1, type=int, metavar="NUMBER...")
@click.option("--all", "everything", is_flag=True, help="Cancel all of them.")
def cancel(numbers: tuple[int, ...], everything: bool) -> None:
    """Cancel timers by their numbers in the list."""
    from edgevoice.skills.setup import kept_timers

    kept = kept_timers()
    known = [timer.number for timer in kept.all()]
    if not numbers and not everything:
        raise UsageError("no number was given", remedy="edgevoice timers cancel 1, or --all")
    if unknown := [number for number in numbers if number not in known]:
        raise UsageError(f"there is no timer {unknown[0]}", remedy="edgevoice timers lists them")
    for timer in kept.remove(known if everything else numbers):
        echo(f"cancelled: {_line(timer, kept.now())}")


def _line(timer: Timer, now: float) -> str:
    """One line: number, kind, when, and what for."""
    left = datetime.timedelta(seconds=round(timer.remaining(now)))
    due = datetime.datetime.fromtimestamp(timer.due)
    when = f"paused, {left} left" if timer.left is not None else f"{due:%a %H:%M:%S}, in {left}"
    what = f": {timer.text}" if timer.text else ""
    return f"{timer.number:>3}  {timer.kind:<8}  {when}{what}"
