"""Speaking into replies through real devices, with the real detector, recognizer and voice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.processes import PATIENCE

pytestmark = [pytest.mark.devices, pytest.mark.models, pytest.mark.slow]

PROGRAM = Path(__file__).with_name("interrupting.py")
ROOT = PROGRAM.parent.parent.parent
KEYBOARD = ROOT.parent / "shared" / "noise" / "lk-keyboard-typing2.wav"


@pytest.fixture(scope="module")
def told(null_sinks: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What became of a reply for each sound that was heard into it."""
    out = tmp_path_factory.mktemp("interrupting") / "told.json"
    env = {**os.environ, **null_sinks.env(), "PYTHONPATH": str(ROOT)}
    keyboard = [str(KEYBOARD)] if KEYBOARD.exists() else []
    command = [sys.executable, str(PROGRAM), str(out), *keyboard]
    subprocess.run(command, env=env, timeout=PATIENCE, check=True)
    made: dict[str, Any] = json.loads(out.read_text("utf-8"))
    return made


def test_words_silence_the_reply_and_are_answered(told: dict[str, Any]) -> None:
    """The speaker is silent from the pause on, and the reply is over."""
    one = told["interruption"]
    assert [0, "barge_in"] in one["cancelled"]
    assert one["held"] <= one["silent"]
    assert "queen" in " ".join(one["words"]).lower()
    assert one["answered"]


def test_stop_silences_it_and_nothing_follows(told: dict[str, Any]) -> None:
    """No answer is given to it."""
    one = told["stop"]
    assert one["cancelled"] == [[0, "barge_in"], [1, "stop_command"]]
    assert not one["answered"]


def test_a_yeah_pauses_it_and_it_goes_on(told: dict[str, Any]) -> None:
    """All of the reply is heard in the end."""
    one = told["yeah"]
    assert one["held"] < one["resumed"]
    assert not one["answered"]
    assert one["heard"] == [told["story"]]


@pytest.mark.parametrize("noise", ["cough", "typing"])
def test_a_cough_and_typing_end_nothing(told: dict[str, Any], noise: str) -> None:
    """Whatever they are taken for, the reply is heard to its end and nothing is answered."""
    one = told[noise]
    assert one["heard"] == [told["story"]]
    assert not one["answered"]
    assert "barge_in" not in [reason for _, reason in one["cancelled"]]
