"""A failed test prints the command that runs it again. A seed fixes what is random."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

FAILING = """
import pytest
from hypothesis import given, strategies as st

@pytest.mark.parametrize("word", ["it's", "fine"])
def test_words(word):
    assert word == "fine"

@given(st.lists(st.integers(), min_size=4, max_size=4))
def test_numbers(numbers):
    print("tried", numbers)
    assert sum(numbers) < 1000
"""


def run(folder: Path, *words: str) -> str:
    """What pytest prints of a run in `folder`."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.reproducing",
        "-p",
        "tests.sampling",
        *words,
    ]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider"], cwd=folder, env=env, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    """A folder with tests of which some fail."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(FAILING)
    return tmp_path


def commands(told: str) -> list[str]:
    """The lines under the last heading for failed tests."""
    return re.findall(r"^.* -m pytest .*--seed=.*$", told, re.MULTILINE)


@pytest.mark.slow
def test_a_failure_is_told_with_the_command_that_repeats_it(failing: Path) -> None:
    """One line for each failed test, also where workers ran it; it runs that test alone."""
    lines = commands(run(failing, "-n", "2", "--seed", "7"))
    assert len(lines) == 2
    [line] = [line for line in lines if "words" in line]
    words = shlex.split(line)
    assert words[3:] == ["test_it.py::test_words[it's]", "--seed=7", "-n0"]
    again = run(failing, *words[3:])
    assert "1 failed in" in again
    assert commands(again) == [line]


@pytest.mark.slow
def test_a_seed_decides_what_is_tried_and_a_failing_example_is_printed(failing: Path) -> None:
    """The same seed tries the same values; Hypothesis gives what reproduces the failure exactly."""

    def tried(seed: str) -> list[str]:
        # What failed before would be tried first.
        shutil.rmtree(failing / ".hypothesis", ignore_errors=True)
        told = run(failing, "-n0", "-k", "numbers", "--seed", seed)
        assert "@reproduce_failure(" in told
        return re.findall("^tried .*", told, re.MULTILINE)

    first = tried("3")
    assert len(first) > 5
    assert tried("3") == first
    assert tried("4") != first
