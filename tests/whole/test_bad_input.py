"""What can go wrong around a conversation on the real models: told once, and nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import soundfile

from edgevoice import events as ev
from edgevoice.trace import read
from tests.command import QUICK, SMALL, Talk, edgevoice, edgevoice_process, message, said, talking
from tests.conftest import ROOT, STARTER
from tests.processes import PATIENCE

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(os.name != "posix", reason="limits and signals are POSIX ones"),
]


@pytest.fixture(scope="module")
def question(starter_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A question as a sound file."""
    folder = tmp_path_factory.mktemp("said")
    return said("What is the capital of Italy?", folder / "question.wav")


@pytest.fixture
def models(starter_models: dict[str, Path], tmp_path: Path) -> Path:
    """A models folder of links to the real files, which may be broken one by one."""
    folder = tmp_path / "models"
    for name in STARTER:
        (folder / name).mkdir(parents=True)
        for file in (ROOT / "models" / name).iterdir():
            (folder / name / file.name).symlink_to(file)
    return folder


def test_a_full_disk_ends_the_recording_and_keeps_what_it_has(
    question: Path, tmp_path: Path
) -> None:
    """`--output` on a disk that fills up: one message, and a sound file of what found room."""
    reply = tmp_path / "reply.wav"
    words = ("run", "--plain", "--input", question, "--output", reply)
    done = edgevoice_process(*QUICK, *words, limits=("disk", "200000"))
    assert "the sound cannot be written" in message(done)
    assert soundfile.info(reply).frames > 48_000
    assert list(tmp_path.iterdir()) == [reply]


def test_a_full_disk_costs_the_trace_and_not_the_conversation(
    question: Path, tmp_path: Path
) -> None:
    """It is held to its end; then the exit code and one message tell of the trace."""
    trace = tmp_path / "trace.jsonl"
    words = ("run", "--plain", "--input", question, "--trace", trace)
    done = edgevoice_process(*SMALL, *words, limits=("disk", "2000"))
    assert "Rome" in done.stdout
    assert "ended: end of input" in done.stdout
    assert done.returncode == 1
    assert "the trace cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_one_altered_byte_in_a_model_is_found_before_it_runs(
    question: Path, models: Path, tmp_path: Path
) -> None:
    """A file of the right size with the wrong bytes is named, with the command that mends it."""
    path = next((models / "en_US-joe-medium").glob("*.onnx"))
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])
    made = tmp_path / "made.wav"
    done = edgevoice("--set", f"models.folder={models}", "say", "Hello.", "-o", made)
    told = message(done)
    assert "altered" in told
    assert "edgevoice models pull en_US-joe-medium" in told
    assert not made.exists()


def test_models_in_a_folder_that_is_read_only_run(question: Path, models: Path) -> None:
    """Nothing has to be written there to use what is there."""
    for folder in (*models.iterdir(), models):
        folder.chmod(0o500)
    try:
        words = ("--set", f"models.folder={models}", "transcribe", question)
        done = edgevoice_process(*words, limits=("rights",))
    finally:
        for folder in (models, *models.iterdir()):
            folder.chmod(0o700)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Italy" in done.stdout


def test_a_file_that_is_cut_short_is_written_down_as_far_as_it_goes(
    question: Path, tmp_path: Path
) -> None:
    """The text is there, what is missing is told, and the exit code says it too."""
    cut = tmp_path / "cut.wav"
    cut.write_bytes(question.read_bytes()[:-20_000])
    done = edgevoice("transcribe", cut)
    assert "What is the capital" in done.stdout
    assert "truncated" in done.stderr
    assert done.returncode == 1


def test_a_reader_that_goes_away_ends_the_conversation_quietly(
    question: Path, tmp_path: Path
) -> None:
    """`edgevoice run --plain … | head -1` is no failure."""
    run = f"{sys.executable} -m edgevoice {' '.join(QUICK)} run --plain --input {question}"
    done = subprocess.run(
        ["sh", "-c", f"{run} --output {tmp_path}/reply.wav | head -1"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stdout.startswith("edgevoice ")
    assert done.stderr == ""


def test_a_system_prompt_that_does_not_fit_is_one_message_before_the_conversation(
    question: Path, tmp_path: Path
) -> None:
    """`run` ends with the setting that helps; nothing was asked, and nothing is recorded."""
    prompt = tmp_path / "prompt.toml"
    prompt.write_text(f'[slm]\ncontext = 512\nsystem_prompt = "{"word " * 1000}"\n')
    words = ("--config", prompt, *QUICK, "run", "--plain", "--input", question)
    done = edgevoice_process(*words, "--output", tmp_path / "reply.wav")
    assert "slm.context" in message(done)
    assert "you:" not in done.stdout
    assert list(tmp_path.iterdir()) == [prompt]


@pytest.mark.parametrize(
    ("number", "at"),
    [
        (signal.SIGINT, "listening"),
        (signal.SIGTERM, "loading stt"),
        (signal.SIGTERM, "edgevoice:"),
        (signal.SIGHUP, "you:"),
    ],
)
def test_a_signal_ends_it_at_once_with_its_own_exit_code_and_every_file_complete(
    number: signal.Signals, at: str, question: Path, tmp_path: Path
) -> None:
    """Ctrl-C, SIGTERM or a closed terminal, while it loads, thinks or speaks: nothing is lost, and
    what ended while it loaded claims no recording."""
    reply, trace = tmp_path / "reply.wav", tmp_path / "trace.jsonl"
    words = ("--input", question, "--output", reply, "--trace", trace)
    with talking(None, *words, models=QUICK) as talk:
        talk.expect(at)
        talk.process.send_signal(number)
        assert talk.end() == 128 + number
    assert not any("Traceback" in line for line in talk.lines)
    events = list(read(trace))
    assert isinstance(events[-1], ev.SessionEnded)
    written = {trace}
    if any(isinstance(event, ev.Ready) for event in events):
        assert soundfile.info(reply).samplerate == 48_000
        written.add(reply)
    assert set(tmp_path.iterdir()) == written


def test_a_terminal_that_says_twice_that_it_is_closed_is_heard_once(
    question: Path, tmp_path: Path
) -> None:
    """Its shell passes SIGHUP on, and the system sends it too: the files are complete."""
    trace = tmp_path / "trace.jsonl"
    with talking(None, "--input", question, "--trace", trace, models=QUICK) as talk:
        talk.expect("you:")
        talk.process.send_signal(signal.SIGHUP)
        while talk.process.poll() is None:
            talk.process.send_signal(signal.SIGHUP)
            time.sleep(0.01)
        assert talk.end() == 128 + signal.SIGHUP
    assert list(read(trace))[-1].reason == "closed"  # type: ignore[attr-defined]


def test_two_conversations_can_be_held_at_once(question: Path, tmp_path: Path) -> None:
    """Neither takes anything from the other but time."""

    def conversation(number: int) -> AbstractContextManager[Talk]:
        words = ("--input", question, "--output", tmp_path / f"{number}.wav")
        return talking(None, *words, models=QUICK)

    with conversation(1) as one, conversation(2) as other:
        for talk in (one, other):
            talk.expect("edgevoice:")
            assert talk.end() == 0
            talk.expect("1 turn, median response time")
