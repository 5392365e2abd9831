"""After the models are there nothing leaves the device, and nothing said is left on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgevoice.timings import fold
from edgevoice.trace import read
from tests.command import QUICK, said
from tests.conftest import ROOT
from tests.processes import PATIENCE, running

pytestmark = pytest.mark.models

SEALED = str(Path(__file__).with_name("sealed.py"))
QUESTION = "What is the capital of Italy?"


@pytest.fixture(scope="module")
def question(starter_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The question as a sound file."""
    return said(QUESTION, tmp_path_factory.mktemp("question") / "question.wav")


def sealed(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """edgevoice in a sealed process whose home and working directory are `folder`."""
    env = {
        **os.environ,
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "EDGEVOICE_MODELS_FOLDER": str(ROOT / "models"),
        "EDGEVOICE_MODELS_SLM": "qwen2.5-coder-0.5b",
    }
    return subprocess.run(
        [sys.executable, SEALED, str(folder / "report"), "edgevoice.cli", *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_the_seal_holds(tmp_path: Path) -> None:
    """The test below would notice: a socket made in spite of everything ends the process."""
    code = "import socket; socket.socket(socket.AF_INET)"
    (tmp_path / "leaky.py").write_text(f"def main():\n    {code}\n")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, SEALED, str(tmp_path / "report"), "leaky"], env=env, check=False
    )
    if sys.platform == "linux":
        assert done.returncode == -signal.SIGSYS


def test_a_whole_conversation_needs_no_network_and_leaves_no_trace(
    tmp_path: Path, question: Path
) -> None:
    """With sockets forbidden the question is answered. Only the files asked for are left, and what
    was computed of the system prompt, before anything was said; a mark says while it loads."""
    done = sealed(
        tmp_path, "run", "--plain", "--input", str(question), "--output", str(tmp_path / "r.wav")
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Rome" in done.stdout
    kept = tmp_path / "cache" / "edgevoice" / "prompts"
    home = {path for path in tmp_path.rglob("*") if path.is_file() and path.parent != kept}
    assert home == {tmp_path / "report", tmp_path / "r.wav"}
    written = {line for line in (tmp_path / "report").read_text().splitlines() if line}
    ours = {p for p in written if not p.startswith(("/dev/", "/proc/"))}
    loading = {p for p in ours if p.endswith(".loading")}
    assert len(loading) <= 1
    assert {Path(p).parent for p in ours - loading} <= {tmp_path, kept}, ours
    assert not any(b"Rome" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_three_questions_from_files_are_three_turns_whose_spans_add_up(
    tmp_path: Path, question: Path
) -> None:
    """A conversation from files runs in real time and traces every turn to the millisecond."""
    trace = tmp_path / "trace.jsonl"
    done = sealed(
        tmp_path,
        *(*QUICK, "run", "--plain", "--trace", str(trace), "--output", str(tmp_path / "r.wav")),
        *("--input", str(question), str(question), str(question)),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    turns = fold(read(trace))
    assert len(turns) == 3
    for turn in turns:
        assert turn.response_time is not None
        assert sum(s.seconds for s in turn.spans) == pytest.approx(turn.response_time, abs=1e-9)
    later = turns[1:]
    assert all(t.reused_tokens > turns[0].prompt_tokens // 2 for t in later)


def test_ctrl_c_stops_a_conversation_at_once_and_keeps_the_recording(
    tmp_path: Path, question: Path
) -> None:
    """Interrupted in the middle of a reply, it exits with 130, no traceback, nothing lost."""
    reply = tmp_path / "reply.wav"
    command = (
        *(sys.executable, "-m", "edgevoice", *QUICK),
        *("run", "--plain", "--input", question, "--output", reply),
    )
    with running(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("edgevoice:"):
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert reply.stat().st_size > 44
