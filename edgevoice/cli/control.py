"""`ptt`, `mute` and `stop`: a word to the session that is running, for keys of the desktop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from edgevoice.cli import echo

Command = Callable[..., Any]


def _session(command: Command) -> Command:
    return click.option(
        "--session", type=int, metavar="PID", help="Which session, if several run; else the newest."
    )(command)


@click.command()
@click.argument(
    "how", type=click.Choice(["press", "release", "toggle"]), default="toggle", required=False
)
@_session
def ptt(how: str, session: int | None) -> None:
    """Push-to-talk from outside: bind it to a key of your desktop.

    `press` and `release` for a key that tells both, `toggle` for one that tells only the first.
    """
    _ask(f"ptt {how}", session)


@click.command()
@click.argument("how", type=click.Choice(["on", "off", "toggle"]), default="toggle", required=False)
@_session
def mute(how: str, session: int | None) -> None:
    """Close the microphone of the running session, or open it again."""
    _ask(f"mute {how}", session)


@click.command()
@_session
def stop(session: int | None) -> None:
    """Stop what the running session is saying."""
    _ask("stop", session)


def _ask(line: str, session: int | None) -> None:
    from edgevoice.control import ask

    echo(ask(line, session))
