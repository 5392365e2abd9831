"""`edgevoice bench` as its user meets it, before any model is needed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgevoice.audio import CAPTURE_RATE
from edgevoice.bench.jobs.progress import BenchProgressLines, duration
from edgevoice.wav import WavWriter
from tests.command import QUICK, edgevoice, edgevoice_process, message
from tests.conftest import ROOT
from tests.processes import PATIENCE, running


@pytest.fixture
def no_models(tmp_path: Path) -> dict[str, str]:
    """An environment without any model."""
    folder = tmp_path / "models"
    folder.mkdir()
    return {**os.environ, "EDGEVOICE_MODELS_FOLDER": str(folder), "PYTHONPATH": str(ROOT)}


def test_bench_alone_shows_what_there_is() -> None:
    """A group of commands: its help, and no error."""
    done = edgevoice("bench", "--help")
    assert done.returncode == 0
    for command in ("run", "soak", "turns", "compare", "report", "trace", "shape"):
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("run", "--through-devices"), "needs an output device"),
        (("run", "--play-to", "user"), "--play-to goes with --through-devices"),
        (("run", "--corpus", "nowhere"), "no such folder"),
        (("run", "--questions", os.devnull), "no questions were given"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_loaded(
    words: tuple[str, ...], told: str, no_models: dict[str, str]
) -> None:
    """One message, a remedy, exit code 2, whatever models are there."""
    assert told in message(edgevoice("bench", *words, "--json", "-", env=no_models), 2)


def test_without_models_the_first_that_is_missing_is_named(
    no_models: dict[str, str], elsewhere: Path
) -> None:
    """And how it is had; no file is left behind."""
    told = message(edgevoice("bench", "run", env=no_models))
    assert "edgevoice models pull silero-vad" in told
    assert not list(elsewhere.glob("bench-*.json"))


def test_a_place_that_cannot_be_written_is_told_before_the_work(
    no_models: dict[str, str], tmp_path: Path
) -> None:
    """Not after hours of it: even before a missing model is."""
    words = ("bench", "run", "--json", tmp_path / "none" / "r.json")
    assert "no such folder for the result" in message(edgevoice(*words, env=no_models))


def test_progress_tells_the_time_that_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    """From how long what is done took, beside what was expected of it."""
    now = 0.0
    lines = BenchProgressLines(sys.stdout, lambda: now)
    lines.begin("4 questions", 40.0)
    now = 20.0
    lines.done(10.0, "1/4 one  400 ms")
    now = 40.0
    lines.done(30.0, "4/4 four  400 ms")
    assert capsys.readouterr().out.splitlines() == [
        "4 questions: about 40 s",
        "1/4 one  400 ms  (1 min 0 s left)",
        "4/4 four  400 ms",
    ]
    assert duration(3900) == "1 h 5 min"


@pytest.mark.models
def test_questions_of_a_folder_are_asked_and_the_result_is_json(
    tmp_path: Path, starter_models: dict[str, Path]
) -> None:
    """The real pipeline: one recording answered, a broken one named, the file whole."""
    asked = tmp_path / "corpus"
    asked.mkdir()
    say = ("--set", "tts.variation=0", "say")
    said = edgevoice(*say, "What is the capital of France?", "-o", asked / "capital.wav")
    assert said.returncode == 0
    (asked / "broken.wav").write_bytes(b"no sound")
    done = edgevoice(
        *("bench", "run", "--corpus", asked, "--slm", "qwen2.5-coder-0.5b"),
        *("--warm-up", "0", "--json", "-"),
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    (ours,) = result["turns"]
    assert result["left_out"] == ["broken.wav"]
    assert ours["question"] == "capital.wav"
    assert "capital" in ours["transcript"].lower()
    assert "paris" in ours["reply"].lower()
    assert sum(ours["spans"].values()) == pytest.approx(ours["response_time"], abs=1e-6)
    assert "broken.wav" in done.stderr


@pytest.mark.models
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_what_is_done_is_kept_when_it_is_stopped(
    number: int, code: int, tmp_path: Path, starter_models: dict[str, Path]
) -> None:
    """Ctrl-C and SIGTERM: the table and the file hold the questions that were answered."""
    file = tmp_path / "r.json"
    words = (*QUICK, "bench", "run", "--limit", "4", "--json", str(file))
    command = (sys.executable, "-m", "edgevoice", *words)
    with running(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("1/4 "):
                break
        process.send_signal(number)
        out, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    assert "what was measured is kept" in errors
    assert "stopped before its end" in out
    result = json.loads(file.read_text())
    assert result["interrupted"]
    later = [line for line in errors.splitlines() if re.match(r"[234]/4 ", line)]
    assert [turn["warm_up"] for turn in result["turns"]] == [True, False, *(False for _ in later)]


@pytest.mark.models
def test_a_disk_that_fills_up_costs_the_file_and_not_the_table(
    tmp_path: Path, starter_models: dict[str, Path]
) -> None:
    """The figures are printed before they are written, and the failure is one clear message."""
    asked = tmp_path / "corpus"
    asked.mkdir()
    with WavWriter(asked / "tone.wav", CAPTURE_RATE) as file:
        tone = np.sin(2 * np.pi * 220 * np.arange(CAPTURE_RATE) / CAPTURE_RATE)
        file.write((0.3 * tone).astype(np.float32))
    (asked / "manifest.tsv").write_text("file\tspeech_end_s\ntone.wav\t1.0\n")
    words = (*QUICK, "bench", "run", "--corpus", asked, "--warm-up", "0")
    done = edgevoice_process(*words, "--json", tmp_path / "r.json", limits=("disk", "1000"))
    assert done.returncode == 1
    assert "0 of 1 question answered" in done.stdout
    assert "the result cannot be written: File too large" in done.stderr
    assert not (tmp_path / "r.json").exists()
