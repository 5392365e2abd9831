"""`edgevoice bench soak` as its user meets it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import QUICK, SMALL, edgevoice, message
from tests.conftest import ROOT
from tests.processes import PATIENCE, running

FEW = ("--limit", "2", "--warm-up", "0")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--hours", "0"), "cannot last 0 hours"),
        (("--hours", "-1"), "cannot last -1 hours"),
        (("--hours", "nan"), "cannot last nan hours"),
        (("--hours", "inf"), "cannot last inf hours"),
        (("--corpus", "nowhere"), "no such folder"),
        (("--play-to", "user"), "--play-to goes with --through-devices"),
        (("--budget", "response_time"), "budget"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_loaded(
    words: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    """One message, a remedy, exit code 2."""
    env = {**os.environ, "EDGEVOICE_MODELS_FOLDER": str(tmp_path), "PYTHONPATH": str(ROOT)}
    assert told in message(edgevoice("bench", "soak", *words, "--json", "-", env=env), 2)


def test_without_barge_in_nothing_can_be_interrupted(tmp_path: Path) -> None:
    """Asked for all the same, it is told; 0 is in order, and then the models are missing."""
    env = {**os.environ, "EDGEVOICE_MODELS_FOLDER": str(tmp_path), "PYTHONPATH": str(ROOT)}
    words = ("--set", "turn.barge_in=false", "bench", "soak", "--json", "-", "--interrupt-every")
    assert "nothing can be interrupted" in message(edgevoice(*words, "5", env=env), 2)
    assert "models pull" in message(edgevoice(*words, "0", env=env), 1)


@pytest.mark.models
def test_a_short_soak_asks_interrupts_and_says_that_it_was_too_short(
    tmp_path: Path, starter_models: dict[str, Path]
) -> None:
    """The real pipeline: every reply is interrupted, which each time stops it, and exit code 1."""
    file = tmp_path / "r.json"
    words = ("--hours", "0.008", "--interrupt-every", "1", "--json", file)
    done = edgevoice(*SMALL, "bench", "soak", *FEW, *words)
    assert done.returncode == 1, done.stderr
    # On a machine that is busy just now the sound may break up, and that is told before it.
    assert re.search("too short to tell( after|:)", done.stdout)
    made = json.loads(file.read_text())
    assert made["command"] == "soak"
    assert not made["interrupted"]
    tried = [i for i in made["soak"]["interruptions"] if i["outcome"] != "late"]
    assert tried
    assert all(i["outcome"] == "stopped" and i["answered"] for i in tried)
    assert made["soak"]["ran"] >= 0.008 * 3600
    assert {turn["variant"] for turn in made["turns"]} == {"as set", "barge-in"}


@pytest.mark.models
def test_ctrl_c_keeps_what_is_done_and_says_how_much_it_was(
    tmp_path: Path, starter_models: dict[str, Path]
) -> None:
    """The verdict and the file are there, of what was asked until then."""
    file = tmp_path / "r.json"
    words = ("bench", "soak", *FEW, "--hours", "0.5", "--json", str(file))
    command = (sys.executable, "-m", "edgevoice", *QUICK, *words)
    with running(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        for told in process.stderr:
            if re.search(r": [1-9]\d* turn", told):
                break
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert re.search("too short to tell( after|:)", out)
    assert "of 30 min" in out
    made = json.loads(file.read_text())
    assert made["interrupted"]
    assert made["soak"]["windows"][0]["turns"] >= 1
