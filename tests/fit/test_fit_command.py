"""`edgevoice fit` as its user meets it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click.testing
import pytest

from edgevoice.cli import cli
from edgevoice.fit import choosing
from edgevoice.fit.record import Answers
from edgevoice.models.store import Store
from edgevoice.settings import Config, Models
from tests.command import edgevoice, message
from tests.fit.world import GB, USUAL, Scripted, answers, install

LARGE, SMALL = USUAL[:2]
SPANS = {"pause": 0.06, "prefill": 0.4, "first clause": 0.3}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Makes a machine on which the usual models are here and answer by a script."""
    folder = tmp_path / "models"
    monkeypatch.setenv("EDGEVOICE_MODELS_FOLDER", str(folder))
    install(Store(Config(models=Models(folder=str(folder)))), *USUAL)
    monkeypatch.chdir(tmp_path)

    def script(**found: Answers) -> None:
        scripted = Scripted({LARGE: found["large"], SMALL: found["small"]})
        monkeypatch.setattr(choosing, "in_processes", lambda *_: scripted)

    script(large=answers(2.5, dropped=True), small=answers(0.7, 0.8, 1.3, 0.9))
    return script


def run(*words: str | Path) -> click.testing.Result:
    """What came of the command; errors are raised."""
    return click.testing.CliRunner().invoke(cli, list(map(str, words)), catch_exceptions=False)


def test_the_set_that_meets_the_budget_is_told_in_eighty_columns(measured: Any) -> None:
    """A table, and a sentence with response time, memory and disk; exit code 0."""
    done = run("fit", "--budget", "1.0s", "--memory", "8GB")
    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    text = " ".join(done.stdout.split())
    assert (
        f"{SMALL} with whisper-base and en_US-joe-medium meets the budget: median response time "
        "0.85 s, worst 1.30 s of 4 answers, 1.0 GB of memory at most, 702 MB of disk." in text
    )
    assert f"{LARGE} whisper-base 2.50 s! 2.50 s 1/1" in text
    assert "dropped early" in text
    assert "[1/2]" in done.stderr


def test_where_none_meets_it_the_nearest_is_told(measured: Any, tmp_path: Path) -> None:
    """Exit code 1, nothing written, and still all of it as JSON."""
    done = run("fit", "--budget", "500ms", "--write", "--json", "fit.json")
    assert done.exit_code == 1
    text = " ".join(done.stdout.split())
    assert f"No set meets the budget. Nearest is {SMALL} with whisper-base" in text
    assert "exceeds the limit of response time" in text
    made = json.loads((tmp_path / "fit.json").read_text())
    assert (made["format"], made["version"], made["best"]) == ("edgevoice fit", 2, None)
    assert [choice["slm"] for choice in made["choices"]] == [SMALL, LARGE]
    assert not config_file().exists()


def config_file() -> Path:
    """Where settings are written."""
    return Path(run("config", "path").stdout.strip())


def test_json_alone_goes_to_standard_output(measured: Any) -> None:
    """The table goes to standard error instead."""
    done = run("fit", "--budget", "1s", "--json", "-")
    made = json.loads(done.stdout)
    assert made["best"] == made["choices"][0]
    assert "meets the budget" in done.stderr


def test_a_busy_machine_is_told(measured: Any) -> None:
    """Its figures are longer than they need be."""
    import msgspec

    busy = msgspec.structs.replace(answers(0.9), busy=1.5, spans=SPANS)
    measured(large=busy, small=busy)
    done = run("fit", "--budget", "1s")
    text = " ".join(done.stdout.split())
    assert "The machine was busy: other programs took up to 1.5 cores." in text
    assert "medians in ms: pause 60 · prefill 400 · first clause 300" in text
    assert f"Not measured, as less capable: {SMALL} (--all measures them too)." in text


def test_a_set_of_which_nothing_was_answered_has_no_figures(measured: Any) -> None:
    """It is told as such."""
    measured(large=answers(asked=4), small=answers(asked=4, memory=9 * GB))
    done = run("fit", "--budget", "1s", "--memory", "8GB")
    assert done.exit_code == 1
    assert "no question was answered" in " ".join(done.stdout.split())


def test_the_choice_is_written_only_if_asked_and_nothing_else_of_the_file_is_lost(
    measured: Any,
) -> None:
    """What changes is shown; comments and other settings stay; a second time changes nothing."""
    assert "--write" in run("fit", "--budget", "1s").stderr
    path = config_file()
    assert not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('# mine\n[models]\nslm = "phi-3-mini" # for now\n\n[turn]\npause_ms = 150\n')
    done = run("fit", "--budget", "1.0s", "--write")
    assert f"models.slm: phi-3-mini → {SMALL}" in done.stderr
    text = path.read_text()
    assert text.startswith("# mine\n[models]\n")
    assert f'slm = "{SMALL}"' in text
    assert 'stt = "whisper-base"' in text
    assert "pause_ms = 150" in text
    assert "already has these models" in run("fit", "--budget", "1.0s", "--write").stderr
    assert path.read_text() == text


def test_what_stands_over_the_file_is_told(measured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable would win over what is written."""
    monkeypatch.setenv("EDGEVOICE_MODELS_SLM", "phi-3-mini")
    done = run("fit", "--budget", "1.0s", "--write")
    assert "EDGEVOICE_MODELS_SLM still overrides it" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "no budget was given"),
        (("--budget", "0"), "a budget has the unit s or ms"),
        (("--budget", "0s"), "more than nothing"),
        (("--budget", "fast"), "not a number with a unit"),
        (("--budget", "1s", "--memory", "3"), "a size has the unit GB or MB"),
        (("--budget", "1s", "--disk", "0GB"), "nothing runs in no space"),
        (("--budget", "1s", "--slm", "gpt"), "no model is called gpt"),
        (("--budget", "1s", "--stt", "phi-3-mini"), "phi-3-mini is a model for slm"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_measured(
    words: tuple[str, ...], told: str
) -> None:
    """One message, a remedy, exit code 2."""
    assert told in message(edgevoice("fit", *words), 2)


def test_without_models_the_first_one_to_download_is_named(tmp_path: Path) -> None:
    """Nothing can be measured then."""
    empty = {**os.environ, "EDGEVOICE_MODELS_FOLDER": str(tmp_path)}
    told = message(edgevoice("fit", "--budget", "1s", env=empty))
    assert "no model of the kind language model is installed" in told


@pytest.mark.models
@pytest.mark.slow
def test_real_models_answer_and_the_most_capable_is_chosen(elsewhere: Path) -> None:
    """Both language models that were named are measured, each with memory of its own."""
    done = edgevoice(
        *("fit", "--budget", "60s", "--all", "--limit", "1", "--json", "fit.json"),
        *("--slm", "smollm2-135m", "--slm", "qwen2.5-coder-0.5b", "--stt", "whisper-tiny.en"),
    )
    assert done.returncode == 0, done.stderr
    made = json.loads(Path("fit.json").read_text())
    large, small = made["choices"]
    assert [large["slm"], small["slm"]] == ["qwen2.5-coder-0.5b", "smollm2-135m"]
    assert made["best"] == large
    for choice in (large, small):
        assert len(choice["answers"]["times"]) == choice["answers"]["asked"] == 1
        assert sum(choice["answers"]["spans"].values()) > 0
        assert choice["p50"] <= choice["worst"]
        assert choice["memory"] > choice["disk"]
    assert large["memory"] > small["memory"]
