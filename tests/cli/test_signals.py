"""Signals that end the program, and ignored signals."""

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
    """The exit code and lines of a command that gets these signals, then end of input."""
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
    """Ctrl-C, `kill` and a closed terminal close all files and set the exit code."""
    assert ended(number) == (128 + number, ["put in order"])


def test_a_background_job_outlives_the_terminal_and_ctrl_c() -> None:
    """Started with `nohup … &`, it ignores both and finishes its work."""
    background = ("sh", "-c", IN_THE_BACKGROUND, "sh")
    told = ended(signal.SIGHUP, signal.SIGINT, before=background)
    assert told == (0, ["read to the end", "put in order"])


def test_a_background_job_is_ended_with_kill() -> None:
    """SIGTERM ends it like Ctrl-C."""
    background = ("sh", "-c", IN_THE_BACKGROUND, "sh")
    assert ended(signal.SIGTERM, before=background) == (143, ["put in order"])
