"""No file, line or text of others ends in anything worse than an error that names what is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.fuzz.batch import given, run
from tests.fuzz.readers import READERS
from tests.processes import running

SAMPLE = 15
"""Inputs of each reader in an ordinary run."""
ALL = 100_000
"""Inputs of all readers together in a long run."""
PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
HOURS = 2
"""After which a reader's inputs are given up; they take minutes."""

SHARES = sum(reader.share for reader in READERS.values())


def inputs(reader: str) -> int:
    """How many of all inputs are for this reader."""
    return round(ALL * READERS[reader].share / SHARES) + 1


@pytest.mark.parametrize("reader", READERS)
def test_a_sample_of_wrong_inputs_ends_in_named_errors(
    reader: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """A few inputs that `--seed` fixes; none ends as unexpected, hangs or takes much memory."""
    run(reader, SAMPLE, pytestconfig.getoption("--seed"), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("reader", READERS)
def test_no_wrong_input_is_unexpected_hangs_or_takes_much_memory(
    reader: str, tmp_path: Path, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """100,000 inputs over all readers, each reader's in one process; prints what became of them."""
    seed = pytestconfig.getoption("--seed")
    command = [sys.executable, "-m", "tests.fuzz.batch", reader, str(inputs(reader)), str(seed)]
    began = time.monotonic()
    with running([*command, str(tmp_path)], cwd=ROOT, **PIPES) as process:
        out, err = process.communicate(timeout=HOURS * 3600)
    number = (tmp_path / "number").read_text() if (tmp_path / "number").exists() else "0"
    assert process.returncode == 0, f"ended with {process.returncode} at input {number}: {err}"
    told = json.loads(out)
    with capsys.disabled():
        print(f"\nfuzz {reader}, seed {seed}: {told}, {time.monotonic() - began:.0f} s in all")
    assert told["inputs"] == inputs(reader)


def test_the_same_seed_gives_the_same_inputs(tmp_path: Path) -> None:
    """An input is known by its reader, its number and the seed."""
    for reader in READERS:
        assert given(reader, 3, 1)[0] == given(reader, 3, 1)[0]
    assert given("reply", 3, 1)[0] != given("reply", 3, 2)[0]
    assert os.listdir(tmp_path) == []
