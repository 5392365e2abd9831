"""Signals that end the program, and those that its caller had it ignore."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.processes import PATIENCE, running

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX ones")

WAITING = """
import sys, click
from edgevoice.cli import main

@click.command()
def wait():
    try:
        print("waiting", flush=True)
        sys.stdin.read()
        print("read to the end")
    finally:
        print("put in order")

main(wait)
"""
IN_THE_BACKGROUND = 'trap "" INT HUP; exec "$@"'


def ended(*numbers: signal.Signals, before: tuple[str, ...] = ()) -> tuple[int, list[str]]:
    """Exit code and lines of a command that gets these signals and then the end of its input."""
    command = (*before, sys.executable, "-c", WAITING)
    with running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == "waiting\n"
        for number in numbers:
            process.send_signal(number)
        out, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, out.splitlines()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_command_in_good_order(number: signal.Signals) -> None:
    """Ctrl-C, `kill` and a closed terminal: what is open is closed, and the exit code tells."""
    assert ended(number) == (128 + number, ["put in order"])


def test_a_background_job_outlives_the_terminal_and_ctrl_c() -> None:
    """Started with `nohup … &` it ignores both, and does its work to the end."""
    background = ("sh", "-c", IN_THE_BACKGROUND, "sh")
    told = ended(signal.SIGHUP, signal.SIGINT, before=background)
    assert told == (0, ["read to the end", "put in order"])


def test_a_background_job_is_ended_with_kill() -> None:
    """SIGTERM ends it in good order, as Ctrl-C ends a command in a terminal."""
    background = ("sh", "-c", IN_THE_BACKGROUND, "sh")
    assert ended(signal.SIGTERM, before=background) == (143, ["put in order"])
