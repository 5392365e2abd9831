"""The screen ended from outside: what was said, heard and kept is there, as with plain lines."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

if os.name != "posix":
    pytest.skip("terminals and signals are POSIX ones", allow_module_level=True)

from edgevoice import events as ev
from edgevoice.recordings.folder import RecordingsFolder
from edgevoice.recordings.recorded_turn import read as read_turn
from edgevoice.trace import read
from tests.command import QUICK, said
from tests.terminal import Terminal

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def question(starter_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A question as a sound file."""
    return said("What is the capital of Italy?", tmp_path_factory.mktemp("said") / "question.wav")


def conversation(question: Path, folder: Path, controls: bool = True) -> Terminal:
    """The question on the screen, with everything written that can be."""
    return Terminal(
        *(*QUICK, "run", "--input", question),
        *("--output", folder / "reply.wav", "--trace", folder / "trace.jsonl"),
        *("--record-turns", folder / "kept"),
        controls=controls,
    )


def by(number: signal.Signals) -> Callable[[Terminal], None]:
    return lambda terminal: terminal.process.send_signal(number)


def insisting(terminal: Terminal) -> None:
    """SIGHUP again and again, as from a shell, from its terminal and from the system."""
    while terminal.process.poll() is None:
        terminal.process.send_signal(signal.SIGHUP)
        time.sleep(0.01)


WORDS = {"token_generated", "playback_started"}
"""Events by which the question has been understood."""


@pytest.mark.parametrize(
    ("at", "end", "number"),
    [
        ("engine_loading", by(signal.SIGTERM), signal.SIGTERM),
        ("playback_started", by(signal.SIGTERM), signal.SIGTERM),
        ("token_generated", insisting, signal.SIGHUP),
        ("token_generated", by(signal.SIGINT), signal.SIGINT),
        ("engine_loading", Terminal.close, signal.SIGHUP),
        ("playback_started", Terminal.close, signal.SIGHUP),
    ],
    ids=["TERM-loading", "TERM-speaking", "HUP", "INT", "closed-loading", "closed-speaking"],
)
def test_the_recording_the_turn_and_the_trace_are_complete(
    at: str,
    end: Callable[[Terminal], None],
    number: signal.Signals,
    question: Path,
    tmp_path: Path,
) -> None:
    """Whatever ends the screen, and whenever: the exit code tells it, and nothing is lost."""
    terminal = conversation(question, tmp_path)
    terminal.wait_for(at, tmp_path / "trace.jsonl")
    end(terminal)
    assert terminal.end() == 128 + number
    assert terminal.restored or end is Terminal.close
    assert_complete(tmp_path, kept=at in WORDS)


def test_a_terminal_that_goes_without_a_signal_ends_it_as_well(
    question: Path, tmp_path: Path
) -> None:
    """It need not be the one that controls the program, as in a container."""
    terminal = conversation(question, tmp_path, controls=False)
    terminal.wait_for("playback_started", tmp_path / "trace.jsonl")
    terminal.close()
    assert terminal.end() == 128 + signal.SIGHUP
    assert_complete(tmp_path, kept=True)


def test_quitting_while_it_loads_leaves_a_complete_trace_too(
    question: Path, tmp_path: Path
) -> None:
    """The user does not wait for the models, and the terminal is its old self."""
    terminal = conversation(question, tmp_path)
    terminal.wait_for("engine_loading", tmp_path / "trace.jsonl")
    terminal.type("q")
    assert terminal.end() == 0
    assert_complete(tmp_path, kept=False)
    assert terminal.restored


def test_what_a_killed_session_left_is_saved_and_named_by_the_next_one(
    question: Path, tmp_path: Path
) -> None:
    """Its sound and its events can be used, and the next session has its own beside them."""
    terminal = conversation(question, tmp_path)
    terminal.wait_for("playback_started", tmp_path / "trace.jsonl")
    terminal.process.kill()
    assert terminal.end() == -signal.SIGKILL
    terminal = conversation(question, tmp_path)
    assert terminal.end() == 0
    sound, events = tmp_path / "reply.unfinished.wav", tmp_path / "trace.unfinished.jsonl"
    names = {"reply.wav", "trace.jsonl", "kept", sound.name, events.name}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert soundfile.info(sound).frames > 0
    assert any(isinstance(event, ev.FinalTranscript) for event in read(events))
    told = [e.text for e in read(tmp_path / "trace.jsonl") if isinstance(e, ev.Notice)]
    (notice,) = (text for text in told if "was killed" in text)
    assert str(sound) in notice
    assert str(events) in notice


def assert_complete(folder: Path, kept: bool) -> None:
    """The trace has its last event, the recording its sound where the session was ready, the
    turn its two files, and there is nothing else."""
    events = list(read(folder / "trace.jsonl"))
    assert isinstance(events[-1], ev.SessionEnded)
    names = {"trace.jsonl", "kept"}
    if any(isinstance(event, ev.Ready) for event in events):
        assert soundfile.info(folder / "reply.wav").frames > 0
        names.add("reply.wav")
    assert {path.name for path in folder.iterdir()} == names
    turns = RecordingsFolder(folder / "kept").turns()
    assert ["Italy" in read_turn(turn).heard for turn in turns.values()] == [True] * kept
    assert len(list((folder / "kept").iterdir())) == 2 * len(turns)
