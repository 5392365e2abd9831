"""`edgevoice bench turns` as its user meets it, before anything is heard."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from edgevoice.bench.result.result import encoded
from edgevoice.bench.scenarios.result import (
    LineOutcome,
    ScenarioCounts,
    ScenarioOutcome,
    ScenariosResult,
    added,
    read,
)
from edgevoice.bench.scenarios.run import totals
from edgevoice.bench.scenarios.text import whole
from tests.bench.simulated import result as simulated
from tests.command import edgevoice, message
from tests.conftest import ROOT


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """No models."""
    return {**os.environ, "EDGEVOICE_MODELS_FOLDER": str(tmp_path), "PYTHONPATH": str(ROOT)}


def test_what_ships_is_listed_with_what_it_promises(env: dict[str, str]) -> None:
    """No device and no model is needed; nothing is wider than a terminal."""
    done = edgevoice("bench", "turns", "--list", env=env)
    assert done.returncode == 0, done.stderr
    assert "interruption\n    Speaking into a reply silences it" in done.stdout
    assert "echo (× 25)" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nowhere.toml",), "no such scenario"),
        (("wrong.toml",), "says is not known in step[0] (wrong.toml)"),
        (("--corpus", "nowhere"), "no such folder"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_loaded(
    words: tuple[str, ...], told: str, env: dict[str, str], elsewhere: Path
) -> None:
    """One message, a remedy, exit code 2."""
    (elsewhere / "wrong.toml").write_text(
        'format = "edgevoice scenario"\nversion = 1\nmeans = "x"\n[[step]]\nsays = "hello"\n'
    )
    assert told in message(edgevoice("bench", "turns", *words, "--json", "-", env=env), 2)


def outcome(name: str, *, failed: tuple[str, ...] = (), **counts: int) -> ScenarioOutcome:
    line = LineOutcome(
        step=0, part="question", what="What time is it?", began=1.0, ended=2.0,
        answered_after=0.8, silent_after=0.4 if counts.get("interruptions") else None,
    )  # fmt: skip
    return ScenarioOutcome(
        name=name, file="talk.toml", repeat=1, at=0.0, seconds=60.0, failed=failed,
        counts=ScenarioCounts(**counts), lines=(line,),
    )  # fmt: skip


@pytest.fixture
def result() -> ScenariosResult:
    there = simulated([]).machine
    outcomes = (
        outcome("question", questions=1, answers=1, replies=1),
        outcome(
            "a scenario of a name that is far too long for a line (180 ms, -30 dB)",
            failed=("1 interruption not heard", "there was no reply to interrupt"),
            questions=1, interruptions=1, not_heard=1, replies=2, answers=2,
        ),
        outcome("rain", false_starts=3, false_answers=2),
    )  # fmt: skip
    return ScenariosResult(
        edgevoice="1", started="2026-01-01T00:00:00", seconds=200.0, interrupted=False,
        left_out=(), input="mic", output="speaker", hears="room", speaks="room", loop=None,
        models={}, settings={}, libraries={}, machine=there, totals=totals(outcomes),
        outcomes=outcomes,
    )  # fmt: skip


def test_the_table_fits_80_columns_and_tells_why_each_failed(result: ScenariosResult) -> None:
    """A line a scenario, its reasons below it, and each total beside what it is of."""
    lines = whole(result)
    assert max(map(len, lines)) <= 80
    told = "\n".join(lines)
    assert "FAILED  a scenario of a name" in told
    assert "        there was no reply to interrupt" in told
    assert "2 of 3 scenarios passed, in 3 min 0 s" in told
    assert "interruptions not heard         1  of 1 interruptions" in told


def test_false_answers_are_counted_by_the_hour_where_nobody_speaks_to_it(
    result: ScenariosResult,
) -> None:
    """Two in a minute are 120 an hour; where somebody asks something, nothing is said of that."""
    assert result.totals.listened == 60.0
    assert result.totals.false_answers_per_hour == 120.0
    assert totals(result.outcomes[:2]).false_answers_per_hour is None
    assert added([o.counts for o in result.outcomes]).replies == 3


def test_a_result_can_be_read_again(result: ScenariosResult, tmp_path: Path) -> None:
    """As it was written; one of a newer program is refused."""
    path = tmp_path / "r.json"
    path.write_text(encoded(result))
    assert read(path) == result
    path.write_text(encoded(replace(result, version=2)))
    with pytest.raises(Exception, match="newer edgevoice"):
        read(path)
