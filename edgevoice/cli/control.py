"""`ptt`, `mute`, `stop`, `reset`: control the running session, for example by a shortcut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from edgevoice.cli import echo

Command = Callable[..., Any]


def _session(command: Command) -> Command:
    return click.option(
        "--session",
        type=int,
        metavar="PID",
        help="Process id of the session [default: the newest session].",
    )(command)


@click.command()
@click.argument(
    "how", type=click.Choice(["press", "release", "toggle"]), default="toggle", required=False
)
@_session
def ptt(how: str, session: int | None) -> None:
    """Start or end push-to-talk in the running session.

    Use it for a keyboard shortcut of your desktop: `press` and `release` for a key that reports
    both, `toggle` for any other key.
    """
    _send(f"ptt {how}", session)


@click.command()
@click.argument("how", type=click.Choice(["on", "off", "toggle"]), default="toggle", required=False)
@_session
def mute(how: str, session: int | None) -> None:
    """Mute or unmute the microphone of the running session."""
    _send(f"mute {how}", session)


@click.command()
@_session
def stop(session: int | None) -> None:
    """Stop the reply of the running session."""
    _send("stop", session)


@click.command()
@_session
def reset(session: int | None) -> None:
    """Begin a new conversation in the running session, and forget the former one."""
    _send("reset", session)


def _send(line: str, session: int | None) -> None:
    from edgevoice.control import ask

    echo(ask(line, session))
