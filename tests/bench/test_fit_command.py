"""`edgevoice fit` as its user meets it, and how its predictions are checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import click.testing
import pytest
from msgspec.structs import replace as changed

from edgevoice.bench.fitting import calibrating, checking, options
from edgevoice.bench.fitting.options import Option
from edgevoice.bench.fitting.record import Problem
from edgevoice.bench.result.result import BenchTurn, Model, write
from edgevoice.cli import cli
from edgevoice.errors import EdgevoiceError
from edgevoice.settings import Config
from tests.bench.fitted import calibration, hearing, speaking, thinking
from tests.bench.simulated import MACHINE, result, turns
from tests.command import edgevoice, message

SAID = {"quantization": "Q4_K_M"}
KNOWN = calibration(
    described=MACHINE.cpu,
    cores=MACHINE.usable_cores,
    thinking=(
        thinking("qwen2.5-coder-0.5b", 0.03, 491_400_064, MACHINE.usable_cores, **SAID),
        thinking("qwen2.5-coder-1.5b", 0.12, 1_117_320_768, MACHINE.usable_cores, **SAID),
    ),
    hearing=(hearing("whisper-base", 0.2, 147_882_642),),
    speaking=(speaking("en_US-joe-medium"),),
)


@pytest.fixture
def calibrated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine that was calibrated before, in an empty models folder."""
    monkeypatch.setenv("EDGEVOICE_MODELS_FOLDER", str(tmp_path / "models"))
    monkeypatch.setattr(calibrating.Calibrator, "run", lambda self, wanted: KNOWN)

    def here(store: Any, option: Option, problems: list[Problem]) -> Option:
        from dataclasses import replace

        found = [*KNOWN.thinking, *KNOWN.hearing, *KNOWN.speaking]
        if option.name not in {each.model for each in found}:
            return option
        return replace(option, here=True, path=tmp_path / option.name)

    monkeypatch.setattr(options, "looked_at", here)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str | Path) -> click.testing.Result:
    """What came of the command; errors are raised."""
    return click.testing.CliRunner().invoke(cli, list(map(str, words)), catch_exceptions=False)


def test_what_meets_the_budget_is_told_in_eighty_columns(calibrated: Path) -> None:
    """The table, the best with its spans and threads, and exit code 0."""
    done = run("fit", "--budget", "1.0s")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    (best,) = [line for line in lines if line.startswith("Best: ")]
    assert best == "Best: qwen2.5-coder-0.5b, whisper-base, en_US-joe-medium"
    for told in ("first clause", "threads: recognizer 1, language model 4", "tokens that close"):
        assert told in done.stdout
    rows = [line for line in lines if line.lstrip().startswith("✓")]
    assert "…" not in rows[0]
    assert "qwen2.5-coder-0.5b" in rows[0]
    assert "Q4_K_M" in rows[0]


def test_where_none_meets_it_the_nearest_is_told_and_what_would(calibrated: Path) -> None:
    """Exit code 1, nothing written, and still all of it as JSON."""
    done = run("fit", "--budget", "100ms", "--write", "--json", "fit.json")
    assert done.exit_code == 1
    assert "None meets it. Nearest: qwen2.5-coder-0.5b" in done.stdout
    assert "Its longest span: " in done.stdout
    assert "What would:\n  - a budget of" in done.stdout
    written = json.loads((calibrated / "fit.json").read_text())
    assert (written["format"], written["version"]) == ("edgevoice fit", 1)
    assert written["best"] is None
    assert written["would"]
    assert not Path(_config()).exists()


def _config() -> str:
    return run("config", "path").stdout.strip()


def test_json_alone_goes_to_standard_output(calibrated: Path) -> None:
    """The table steps aside to standard error."""
    done = run("fit", "--budget", "2s", "--json", "-")
    made = json.loads(done.stdout)
    assert made["best"] == made["choices"][0]
    assert sum(choice["meets"] for choice in made["choices"]) > 1
    assert "Best: " in done.stderr


def test_nothing_is_written_without_being_asked(calibrated: Path) -> None:
    """It is only told how."""
    done = run("fit", "--budget", "2s")
    assert "--write" in done.stderr
    assert not Path(_config()).exists()


def test_the_choice_is_written_and_nothing_else_of_the_file_is_lost(calibrated: Path) -> None:
    """What changes is shown; comments and other settings stay; a second time changes nothing."""
    path = Path(_config())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('# mine\n[models]\nslm = "phi-3-mini" # for now\n\n[turn]\npause_ms = 150\n')
    done = run("fit", "--budget", "1.0s", "--write")
    assert "models.slm: phi-3-mini → qwen2.5-coder-0.5b" in done.stderr
    text = path.read_text()
    assert text.startswith("# mine\n[models]\n")
    assert 'slm = "qwen2.5-coder-0.5b"' in text
    assert 'stt = "whisper-base"' in text
    assert "pause_ms = 150" in text
    again = run("fit", "--budget", "1.0s", "--write")
    assert "says all of it already" in again.stderr
    assert path.read_text() == text


def test_what_stands_over_the_file_is_told(
    calibrated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable would win over what is written."""
    monkeypatch.setenv("EDGEVOICE_MODELS_SLM", "phi-3-mini")
    done = run("fit", "--budget", "1.0s", "--write")
    assert "EDGEVOICE_MODELS_SLM still stands over it" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "no budget was given"),
        (("--budget", "0"), "a budget has the unit s or ms"),
        (("--budget", "0s"), "more than nothing"),
        (("--budget", "fast"), "not a number with a unit"),
        (("--budget", "1s", "--memory", "3"), "memory has the unit GB or MB"),
        (("--budget", "1s", "--slm", "gpt"), "no model is called gpt"),
        (("--budget", "1s", "--stt", "phi-3-mini"), "phi-3-mini is a model for slm"),
        (("--budget", "1s", "run.json"), "files go with --check"),
        (("--check",), "no result to check with"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_measured(
    words: tuple[str, ...], told: str
) -> None:
    """One message, a remedy, exit code 2."""
    assert told in message(edgevoice("fit", *words), 2)


@pytest.mark.parametrize("text", ["{}", "not JSON"])
def test_a_file_that_is_no_result_is_named(text: str, elsewhere: Path) -> None:
    """Where it is the only one; beside others it is left out."""
    (elsewhere / "x.json").write_text(text)
    assert "x.json" in message(edgevoice("fit", "--check", elsewhere / "x.json"), 2)


def bench_run(path: Path, name: str, slower: float = 0.0, **changes: Any) -> Path:
    """A result of the bench with this language model, so many seconds slower in prefill."""
    models = {
        "slm": Model(name=name, shape=False),
        "stt": Model(name="whisper-base", shape=False),
        "tts": Model(name="en_US-joe-medium", shape=False),
    }
    made = result(turns(1, slower={"prefill": slower}), models=models, **changes)
    write(path, made)
    return path


def test_a_prediction_is_held_against_what_was_measured(calibrated: Path) -> None:
    """The error of each run with its sign, the middle one of all without, and their order."""
    files = [
        bench_run(calibrated / "small.json", "qwen2.5-coder-0.5b"),
        bench_run(calibrated / "large.json", "qwen2.5-coder-1.5b", 1.0),
    ]
    done = run("fit", "--check", *files, "--json", "check.json")
    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    made = json.loads((calibrated / "check.json").read_text())
    assert made["format"] == "edgevoice fit check"
    for each in made["runs"]:
        assert each["error"] == pytest.approx(each["predicted"]["gap"] / each["measured"] - 1)
        assert f"{each['error'] * 100:+.0f} %" in done.stdout
        assert 0 <= each["within"] <= 1
    errors = sorted(abs(each["error"]) for each in made["runs"])
    assert made["error"] == pytest.approx(sum(errors) / 2)
    assert made["largest"] == errors[-1]
    assert made["in_order"] is True
    assert "is predicted right" in done.stdout


def test_a_wrong_order_is_told(calibrated: Path) -> None:
    """A small model that was slower than a large one."""
    files = [
        bench_run(calibrated / "small.json", "qwen2.5-coder-0.5b", 1.0),
        bench_run(calibrated / "large.json", "qwen2.5-coder-1.5b"),
    ]
    assert "is predicted wrong" in run("fit", "--check", *files).stdout


def test_runs_of_the_same_models_have_no_order(calibrated: Path) -> None:
    """They are predicted alike, whichever came out quicker."""
    files = [
        bench_run(calibrated / "slow.json", "qwen2.5-coder-0.5b", 1.0),
        bench_run(calibrated / "quick.json", "qwen2.5-coder-0.5b"),
    ]
    assert "is predicted right" in run("fit", "--check", *files).stdout


def test_a_result_that_says_what_is_predicted_has_no_error(calibrated: Path) -> None:
    """The gap without a speaker's delay, for the result had none."""
    runs, _ = checking.runs([bench_run(calibrated / "run.json", "qwen2.5-coder-0.5b")], Config())
    predicted = checking.check(runs, KNOWN, Config(), []).runs[0].predicted
    turn = BenchTurn(variant="as set", question="q", gap=predicted.gap, spans=predicted.spans)
    models = runs[0].result.models
    write(calibrated / "same.json", result([turn], models=models))
    again, _ = checking.runs([calibrated / "same.json"], Config())
    made = checking.check(again, KNOWN, Config(), [])
    assert made.error == pytest.approx(0.0)
    assert made.runs[0].within == 1.0
    assert made.in_order is None


def test_what_another_machine_measured_is_left_out_by_name(calibrated: Path) -> None:
    """Alone it is an error, beside others a remark."""
    other = changed(MACHINE, cpu="Loud 2000")
    foreign = bench_run(calibrated / "foreign.json", "qwen2.5-coder-0.5b", machine=other)
    with pytest.raises(EdgevoiceError, match="another machine: Loud 2000"):
        run("fit", "--check", foreign)
    own = bench_run(calibrated / "own.json", "qwen2.5-coder-0.5b")
    (calibrated / "broken.json").write_text("{}")
    done = run("fit", "--check", foreign, own, calibrated / "broken.json")
    told = " ".join(done.stdout.split())
    assert "foreign.json: measured on another machine" in told
    assert "broken.json: not a result of the bench" in told
    assert done.exit_code == 0
