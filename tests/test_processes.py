"""Processes that tests start can be stopped, and none outlives its test."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.processes import PATIENCE, let_children_be_stopped, running

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and groups are POSIX ones")

ACTIONS = """
import signal
print(*(signal.getsignal(n) is signal.SIG_IGN for n in (signal.SIGINT, signal.SIGHUP)))
"""

PARENT = """
import subprocess, sys
child = "print('up', flush=True); import time; time.sleep(600)"
subprocess.run([sys.executable, "-c", child], close_fds=False)
"""


@pytest.fixture
def in_the_background() -> Iterator[None]:
    """This process ignores SIGINT and SIGHUP, as if started with `nohup … &`."""
    before = {n: signal.signal(n, signal.SIG_IGN) for n in (signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def ignores() -> list[str]:
    """Whether a new process ignores SIGINT and SIGHUP."""
    done = subprocess.run([sys.executable, "-c", ACTIONS], capture_output=True, text=True)
    return done.stdout.split()


@pytest.mark.usefixtures("in_the_background")
def test_children_of_a_background_job_have_the_default_signals() -> None:
    """The job itself goes on ignoring them, and its children do so again once it is undone."""
    assert ignores() == ["True", "True"]
    undo = let_children_be_stopped()
    assert ignores() == ["False", "False"]
    signal.raise_signal(signal.SIGHUP)
    signal.raise_signal(signal.SIGINT)
    undo()
    assert ignores() == ["True", "True"]


def test_a_test_that_fails_leaves_no_process_behind() -> None:
    """The process is killed, and so is the one that it started: both let go of a pipe."""
    ours, theirs = os.pipe()

    def failing() -> None:
        command = (sys.executable, "-c", PARENT)
        with running(command, stdout=subprocess.PIPE, pass_fds=(theirs,)) as process:
            os.close(theirs)
            assert process.stdout
            assert process.stdout.readline() == "up\n"
            raise AssertionError("in the middle")

    with open(ours, "rb") as pipe:
        with pytest.raises(AssertionError, match="in the middle"):
            failing()
        assert select.select([pipe], [], [], PATIENCE)[0]
        assert pipe.read() == b""
