"""Scenarios through real devices and real models, from the command line to the result."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgevoice.bench.scenarios.result import read
from tests.command import edgevoice_process, message

pytestmark = [pytest.mark.devices, pytest.mark.models]

HEAD = 'format = "edgevoice scenario"\nversion = 1\n'

INTERRUPTED = """
means = "In a room with echo a reply is interrupted."
[room]
echo = true
delay_ms = 90
level_db = -40
noise = "pink"
noise_db = -65
[[step]]
say = "Please tell me a long story about the sea."
[[step]]
say = "Stop it please. What is the capital of Italy?"
after = "reply"
wait = 1.5
part = "interruption"
[expect]
recognized = [["story"], ["capital"]]
"""

UNKEPT = """
means = "Nobody is there to answer, and an answer is expected."
[[step]]
silence = 1.0
[expect]
answers = 1
"""


def test_without_a_loopback_it_says_what_to_do(sound_env: dict[str, str]) -> None:
    """A virtual cable, or the null sinks: before any model is loaded."""
    words = ("bench", "turns", "question", "--hears", "nothing", "--json", "-")
    told = message(edgevoice_process(*words, env=sound_env))
    assert "nothing" in told
    assert "virtual cable" in told


def test_scenarios_are_run_and_what_is_not_as_it_must_be_is_told(
    sound_env: dict[str, str], starter_models: dict[str, Path], tmp_path: Path
) -> None:
    """One passes and one fails: exit code 1, and the file has what was said, heard and measured."""
    for name, text in (("interrupted", INTERRUPTED), ("unkept", UNKEPT)):
        (tmp_path / f"{name}.toml").write_text(HEAD + text)
    file = tmp_path / "r.json"
    words = ("--slm", "qwen2.5-coder-0.5b", "--json", file)
    done = edgevoice_process("bench", "turns", tmp_path, *words, env=sound_env)
    assert done.returncode == 1, done.stderr
    assert "1 of 2 scenarios passed" in done.stdout
    made = read(file)
    first, second = made.outcomes
    assert first.failed == (), done.stdout
    assert second.failed == ("0 answers instead of 1",)
    asked, interrupting = first.lines
    assert asked.answered_after is not None
    assert interrupting.reply_outcome == "silenced"
    assert interrupting.silent_after is not None
    assert first.way is not None
    assert made.loop is not None
    assert first.way.delay >= 0.09
    assert (made.hears, made.interrupted) == ("room", False)
