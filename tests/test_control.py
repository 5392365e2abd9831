"""Steering a running session from outside: a word over a local socket of the user's own."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgevoice import control
from edgevoice.control import ask, controlled
from edgevoice.errors import SessionError, StorageError
from tests.command import edgevoice, message
from tests.processes import PATIENCE, running


class Steered:
    """Stands for a session, and notes what it is told."""

    def __init__(self) -> None:
        self.listens = True
        self.talking = False
        self.muted = False
        self.interrupted = self.forgotten = 0

    def talk(self, on: bool) -> None:
        self.talking = on

    def mute(self, on: bool) -> None:
        self.muted = on

    def interrupt(self) -> None:
        self.interrupted += 1

    def new_conversation(self) -> None:
        self.forgotten += 1

    def status(self) -> str:
        return "{}"


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime folder of our own; short, because a socket's path may have 107 characters."""
    with tempfile.TemporaryDirectory(prefix="ev-") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder, "edgevoice")


def test_a_key_can_be_pressed_and_let_go_from_outside() -> None:
    """`press` and `release` take the floor and give it back; `toggle` does what is due."""
    session = Steered()
    with controlled(session):
        assert (ask("ptt press"), session.talking) == ("talking", True)
        assert (ask("ptt press"), session.talking) == ("talking", True)
        assert (ask("ptt release"), session.talking) == ("not talking", False)
        assert (ask("ptt toggle"), session.talking) == ("talking", True)
        assert (ask("ptt toggle"), session.talking) == ("not talking", False)


def test_a_client_that_says_nothing_keeps_no_other_waiting(runtime: Path) -> None:
    """Several clients are served at once; more than a few are turned away, and later served."""
    session = Steered()
    with controlled(session), contextlib.ExitStack() as stack:
        (path,) = runtime.glob("*.sock")
        silent = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(8)]
        for each in silent:
            each.connect(str(path))
        assert ask("ptt press") == "talking"
        for each in silent:
            each.sendall(b" ptt toggle\n")
        answers = sorted(each.recv(100).decode() for each in silent)
        assert answers == ["ok not talking\n"] * 4 + ["ok talking\n"] * 4


def test_muting_and_stopping_work_from_outside() -> None:
    """The microphone is told off and on, and the reply is stopped."""
    session = Steered()
    with controlled(session):
        assert (ask("mute toggle"), session.muted) == ("muted", True)
        assert (ask("mute off"), session.muted) == ("listening", False)
        assert (ask("stop"), session.interrupted) == ("stopped", 1)
        assert (ask("reset"), session.forgotten) == ("a new conversation", 1)
        assert ask("status") == "{}"


def test_what_a_session_cannot_do_is_told_with_a_remedy() -> None:
    """Muted, still loading, or asked for something unknown: who asked is told."""
    session = Steered()
    with controlled(session):
        session.muted = True
        with pytest.raises(SessionError, match="muted") as muted:
            ask("ptt press")
        assert muted.value.remedy == "edgevoice mute off"
        with pytest.raises(SessionError, match="does not know"):
            ask("dance")
        session.listens = False
        with pytest.raises(SessionError, match="loading"):
            ask("ptt press")
    assert not session.talking


class Stuck(Steered):
    """A session whose threads stand still, as while onnxruntime loads a model."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        super().__init__()

    @property
    def listens(self) -> bool:
        return self.goes_on.wait(PATIENCE)

    @listens.setter
    def listens(self, _: bool) -> None: ...


@pytest.mark.parametrize("line", ["stop", "ptt press", "mute on"])
def test_a_session_that_stands_still_while_it_loads_is_said_to_load(line: str) -> None:
    """It cannot answer then; who asks is told so, and not to end it."""
    session = Stuck()
    with controlled(session):
        with pytest.raises(SessionError, match="still loading") as told:
            ask(line)
        session.goes_on.set()
    assert told.value.remedy == "try again in a moment"


def test_nobody_else_can_reach_it(runtime: Path) -> None:
    """The folder and the socket are the user's alone."""
    with controlled(Steered()):
        assert stat.S_IMODE(runtime.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in runtime.iterdir()} == {0o600}


def test_a_folder_that_others_may_use_is_not_used(runtime: Path) -> None:
    """Somebody else could have put a socket there: the session goes on without one."""
    runtime.mkdir(mode=0o777)
    runtime.chmod(0o777)
    with pytest.raises(StorageError, match="other users can open"), controlled(Steered()):
        pass


def test_without_a_session_it_is_said_that_there_is_none() -> None:
    """A message and an exit code, not silence."""
    with pytest.raises(SessionError, match="no session is running"):
        ask("ptt press")


def test_after_the_session_nothing_is_left(runtime: Path) -> None:
    """Its socket goes with it."""
    with controlled(Steered()) as loaded:
        assert len(list(runtime.iterdir())) == 2
        loaded()
        assert len(list(runtime.iterdir())) == 1
    assert list(runtime.iterdir()) == []


def test_a_socket_left_by_a_crash_is_cleared_away(runtime: Path) -> None:
    """It is neither asked nor in the way of the next session."""
    runtime.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(runtime / "4194999.sock"))
    (runtime / "4194999.loading").touch()
    with pytest.raises(SessionError, match="no session is running"):
        ask("stop")
    assert list(runtime.iterdir()) == []


SESSION = """
import sys, time
from edgevoice.control import controlled
from tests.test_control import Steered
with controlled(Steered()):
    print("there", flush=True)
    sys.stdin.read()
"""


def test_of_several_sessions_the_newest_is_meant_unless_one_is_named() -> None:
    """`--session` takes the process; one that is not there is refused with those that are."""
    command = (sys.executable, "-c", SESSION)
    with running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "there\n"
        session = Steered()
        with controlled(session):
            ask("mute on")
            assert session.muted
            assert ask("mute on", other.pid) == "muted"
            assert ask("mute off", os.getpid()) == "listening"
            with pytest.raises(SessionError, match="no session has process id 1") as error:
                ask("stop", 1)
            assert str(other.pid) in error.value.remedy


def test_without_unix_sockets_a_port_and_a_token_do(
    monkeypatch: pytest.MonkeyPatch, runtime: Path
) -> None:
    """As on Windows: only who can read the file is obeyed."""
    monkeypatch.setattr(control, "UNIX", False)
    session = Steered()
    with controlled(session):
        assert ask("mute on") == "muted"
        [path] = runtime.glob("*.sock")
        port, token = path.read_text().split()
        path.write_text(f"{port} {'0' * len(token)}")
        with pytest.raises(SessionError):
            ask("mute off")
        assert session.muted


def test_the_commands_tell_that_no_session_is_running(runtime: Path) -> None:
    """One message with a remedy, and a code that is not zero."""
    env = {**os.environ, "XDG_RUNTIME_DIR": str(runtime.parent)}
    for words in (["ptt"], ["ptt", "press"], ["mute", "on"], ["stop"]):
        assert "no session is running" in message(edgevoice(*words, env=env))
