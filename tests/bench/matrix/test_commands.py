"""`bench run` with --sweep, --cold and --stage, as its user meets it."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgevoice.engines import llama_bench
from tests.command import QUICK, SMALL, edgevoice, message
from tests.conftest import ROOT
from tests.processes import PATIENCE, running


@pytest.fixture
def no_models(tmp_path: Path) -> dict[str, str]:
    """An environment without any model."""
    folder = tmp_path / "models"
    folder.mkdir()
    return {**os.environ, "EDGEVOICE_MODELS_FOLDER": str(folder), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def corpus(tmp_path: Path, starter_models: dict[str, Path]) -> Path:
    """Two recorded questions, and one that is broken."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name, text in (("capital", "What is the capital of France?"), ("time", "What time is it?")):
        said = edgevoice("--set", "tts.variation=0", "say", text, "-o", folder / f"{name}.wav")
        assert said.returncode == 0
    (folder / "broken.wav").write_bytes(b"no sound")
    (folder / "manifest.tsv").write_text(
        "file\ttranscript\ncapital.wav\tWhat is the capital of France?\n"
        "time.wav\tWhat time is it?\nbroken.wav\t\nmissing.wav\t\n"
    )
    return folder


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--sweep", "slm"), "--sweep takes KEY=VALUE"),
        (("--sweep", "slm=a", "--sweep", "llm=b"), "models.slm is varied twice"),
        (("--sweep", "slm=a", "--json", "-"), "a file for each combination"),
        (
            ("--sweep", "slm=a", "--budget", "response_time.p50=1s"),
            "--sweep and --budget cannot go together",
        ),
        (("--sweep", "slm=a", "--trace", "t.jsonl"), "--sweep and --trace cannot go together"),
        (("--cold", "--stage", "stt"), "--cold and --stage cannot go together"),
        (("--stage", "all", "--conversation"), "--stage and --conversation cannot go together"),
        (("--repeat", "3"), "--repeat goes with --cold or --stage"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_loaded(
    words: tuple[str, ...], told: str, no_models: dict[str, str], elsewhere: Path
) -> None:
    """One message, a remedy, exit code 2, and nothing is written."""
    assert told in message(edgevoice("bench", "run", *words, env=no_models), 2)
    assert not list(elsewhere.glob("sweep-*"))


def test_a_sweep_of_which_nothing_is_possible_says_why_of_each(
    no_models: dict[str, str], elsewhere: Path
) -> None:
    """And that nothing is left; no folder is made."""
    done = edgevoice("bench", "run", "--sweep", "slm=phi-3-mini,nope", env=no_models)
    assert done.returncode == 2
    assert "slm=nope: no model is called nope" in done.stderr
    assert "edgevoice models pull phi-3-mini, or --shapes" in done.stderr
    assert "none of the 2 combinations can be measured" in done.stderr
    assert not list(elsewhere.glob("sweep-*"))


def test_a_folder_with_results_is_not_written_over(
    no_models: dict[str, str], tmp_path: Path
) -> None:
    """It is found out before anything is measured."""
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "1.json").touch()
    for place, told in (("old", "results there already"), ("old/1.json", "that is a file")):
        words = ("--sweep", "slm=a", "--json", tmp_path / place)
        assert told in message(edgevoice("bench", "run", *words, env=no_models), 2)


def test_help_fits_a_terminal_of_80_columns(no_models: dict[str, str]) -> None:
    """Every option of the command."""
    done = edgevoice("bench", "run", "--help", env={**no_models, "COLUMNS": "80"})
    assert max(map(len, done.stdout.splitlines())) <= 80
    for option in ("--sweep", "--shapes", "--cold", "--stage", "--repeat"):
        assert f"\n  {option} " in done.stdout


@pytest.mark.models
def test_a_sweep_measures_what_is_possible_and_names_the_rest(
    corpus: Path, tmp_path: Path, elsewhere: Path
) -> None:
    """There and back, in processes of its own, in one file of its own; exit code 1."""
    done = edgevoice(
        *(*QUICK, "bench", "run", "--corpus", corpus, "--warm-up", "0", "--json", "out"),
        *("--sweep", "stt=whisper-tiny.en,whisper-none", "--sweep", "llm.threads=2"),
    )
    assert done.returncode == 1, done.stderr
    assert "no model is called whisper-none" in done.stderr
    assert "written to out" in done.stderr
    assert "not measured: stt=whisper-none llm.threads=2" in done.stdout
    table = (tmp_path / "out" / "sweep.tsv").read_text().splitlines()
    rows = list(csv.DictReader(table, delimiter="\t"))
    assert [bool(row["file"]) for row in rows] == [True, False]
    result = json.loads((tmp_path / "out" / rows[0]["file"]).read_text())
    assert result["settings"]["slm.threads"] == 2
    assert result["left_out"] == ["missing.wav", "broken.wav"]
    assert [turn["question"] for turn in result["turns"]] == ["capital.wav", "time.wav"]
    assert all(turn["response_time"] for turn in result["turns"])
    report = edgevoice("bench", "report", *sorted((tmp_path / "out").glob("*.json")))
    assert report.returncode == 0
    assert "slm.threads=2" in report.stdout


@pytest.mark.models
def test_starts_are_measured_cold_and_warm(corpus: Path, tmp_path: Path) -> None:
    """Each in a process of its own; loads overlap, and come before it is ready."""
    file = tmp_path / "starts.json"
    words = ("--corpus", corpus, "--only", "capital*", "--cold", "--repeat", "1", "--json", file)
    done = edgevoice(*QUICK, "bench", "run", *words)
    assert done.returncode == 0, done.stderr
    assert "ready to answer" in done.stdout
    result = json.loads(file.read_text())
    assert result["command"] == "starts"
    assert [start["variant"] for start in result["starts"]] == ["cold start", "warm start"]
    for start in result["starts"]:
        assert set(start["loads"]) >= {"vad", "stt", "slm", "tts"}
        steps = [start["program"], start["imported"], start["listening"], start["ready"]]
        assert steps == sorted(steps)
        loads = start["loads"].values()
        assert max(load["began"] for load in loads) < max(load["ready"] for load in loads)
        assert start["response_time"] > 0
    assert len(result["turns"]) == 3
    assert edgevoice("bench", "report", file).returncode == 0


@pytest.mark.models
def test_stages_are_measured_by_themselves(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, on the recordings that can be read; what they took is compared to the limits."""
    for name, value in (("PROMPT", 32), ("GENERATED", 4), ("REPETITIONS", 2)):
        monkeypatch.setattr(llama_bench, name, value)
    file = tmp_path / "stages.json"
    words = ("--corpus", corpus, "--stage", "all", "--json", file)
    done = edgevoice(*SMALL, "bench", "run", *words)
    assert done.returncode == 0, done.stderr
    result = json.loads(file.read_text())
    assert {one["stage"] for one in result["stages"]} == {"vad", "endpoint", "stt", "llm", "tts"}
    assert [turn["question"] for turn in result["turns"]] == ["capital.wav", "time.wav"]
    assert "paris" in result["turns"][0]["reply"].lower()
    assert result["variants"][0]["summary"]["wer"] is not None
    assert {"pp512", "tg128"} <= {one["quantity"] for one in result["stages"]}
    floors = {floor["stage"] for floor in result["roofline"]["floors"] if floor["measured"]}
    assert floors == {"recognize", "prefill", "decode", "synthesize"}
    assert "left out: broken.wav" in done.stdout
    page = edgevoice("bench", "report", file, "--html", "-")
    assert page.returncode == 0
    assert "</html>" in page.stdout


@pytest.mark.models
def test_a_stage_can_be_measured_where_the_other_models_are_not_here(
    corpus: Path, tmp_path: Path, starter_models: dict[str, Path]
) -> None:
    """A recognizer needs no language model; the stage whose model is missing is named."""
    folder = tmp_path / "few"
    folder.mkdir()
    for role in ("vad", "stt"):
        path = starter_models[role]
        whole = path if path.is_dir() else path.parent
        (folder / whole.name).symlink_to(whole.resolve())
    env = {**os.environ, "EDGEVOICE_MODELS_FOLDER": str(folder)}
    words = ("--corpus", corpus, "--stage", "stt", "--stage", "tts", "--json", tmp_path / "r.json")
    done = edgevoice("bench", "run", *words, env=env)
    assert done.returncode == 1
    assert "no voice model is installed" in done.stderr
    result = json.loads((tmp_path / "r.json").read_text())
    assert [one["quantity"] for one in result["stages"]] == ["reading", "read_rtf"]


@pytest.mark.models
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_what_a_sweep_has_done_is_kept_when_it_is_stopped(
    number: int, code: int, tmp_path: Path, starter_models: dict[str, Path]
) -> None:
    """The combination at work tells what it has, and its process is gone."""
    words = (*QUICK, "bench", "run", "--limit", "8", "--warm-up", "0", "--json", "out")
    with running(
        [sys.executable, "-m", "edgevoice", *words, "--sweep", "llm.threads=1,2"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.strip().startswith("1/8 "):
                break
        process.send_signal(number)
        out, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    assert "what was measured is kept" in errors
    assert "llm.threads=1" in out
    [file] = (tmp_path / "out").glob("*.json")
    result = json.loads(file.read_text())
    assert result["interrupted"]
    assert len(result["turns"]) in (1, 2)
