"""A kiosk as a process, with a supervisor, sound devices and a visitor."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from null_sinks import NullSinks

from edgevoice.control import ask
from tests.command import said
from tests.processes import PATIENCE, running, until

pytestmark = [pytest.mark.devices, pytest.mark.models]

QUESTION = "What is the capital of Italy?"


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[tuple[Path, socket.socket]]:
    """A socket such as systemd listens at, with its path."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(path))
        told.settimeout(PATIENCE)
        yield path, told


def test_a_visitor_is_answered_and_leaves_no_word_behind(
    null_sinks: NullSinks,
    sound_env: dict[str, str],
    supervisor: tuple[Path, socket.socket],
    starter_models: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ready and alive by sd_notify, the status by the control socket, and no word in the log."""
    notify, told = supervisor
    config = tmp_path / "kiosk.toml"
    config.write_text("[kiosk]\nreset_s = 3\n")
    question = said(QUESTION, tmp_path / "question.wav")
    runtime, data = tmp_path / "run", tmp_path / "data"
    runtime.mkdir(mode=0o700)
    env = {
        **sound_env,
        "NOTIFY_SOCKET": str(notify),
        "XDG_RUNTIME_DIR": str(runtime),
        "XDG_DATA_HOME": str(data),
    }
    command = [sys.executable, "-m", "edgevoice", "kiosk", "run", config]
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    with running(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while "READY=1" not in (message := told.recv(4096).decode()).split("\n"):
            assert "EXTEND_TIMEOUT_USEC=" in message
        null_sinks.play(question).wait()
        until(lambda: json.loads(ask("status"))["answered"] == 1)
        until(lambda: json.loads(ask("status"))["visitors"] == 1)
        status = json.loads(ask("status"))
        process.send_signal(signal.SIGTERM)
        out, log = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143, log
    assert (status["ready"], status["problem"]) == (True, "")
    assert status["last_response_ms"] > 0
    received = []
    told.setblocking(False)
    while True:
        try:
            received.append(told.recv(4096).decode())
        except BlockingIOError:
            break
    assert "WATCHDOG=1" in received
    assert received[-1] == "STOPPING=1"
    for word in ("capital", "Italy", "Rome"):
        assert word not in out + log
    kept = [path.read_bytes() for path in data.rglob("*") if path.is_file()]
    assert not any(b"Italy" in content or b"Rome" in content for content in kept)
