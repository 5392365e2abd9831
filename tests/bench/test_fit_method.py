"""The method itself: what is predicted for two models, beside what `bench run` measures of them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from edgevoice.bench.result.result import read
from tests.command import edgevoice_process

pytestmark = [pytest.mark.models, pytest.mark.long]

LONG = 600.0
SMALL, LARGE = "smollm2-135m", "qwen2.5-coder-0.5b"


@pytest.fixture(scope="module")
def folder(model_path: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where results go, once both models are known to be here."""
    for name in (SMALL, LARGE):
        model_path(name)
    return tmp_path_factory.mktemp("method")


def test_the_error_of_predictions_is_computed_and_their_order_is_right(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model more than three times as large is predicted to be slower; by how much both
    predictions are off, and whether their order is that of the measured gaps, is told."""
    env = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    files = []
    for name in (SMALL, LARGE):
        files.append(folder / f"{name}.json")
        words = ("bench", "run", "--slm", name, "--limit", "2", "--json", files[-1])
        done = edgevoice_process(*words, env=env, patience=LONG)
        assert done.returncode == 0, done.stderr
    done = edgevoice_process(
        "fit", "--check", *files, "--json", folder / "check.json", env=env, patience=LONG
    )
    assert done.returncode == 0, done.stderr
    made = json.loads((folder / "check.json").read_text())
    with capsys.disabled():
        print(f"\n{done.stdout}")
    assert [each["models"]["slm"] for each in made["runs"]] == [SMALL, LARGE]
    for each, file in zip(made["runs"], files, strict=True):
        gap = read(file).variants[0].summary.gap
        assert gap
        assert each["measured"] == pytest.approx(gap.p50)
        assert each["error"] == pytest.approx(each["predicted"]["gap"] / gap.p50 - 1)
        assert each["how"] == {"slm": "measured", "stt": "measured", "tts": "measured"}
    small, large = (each["predicted"]["gap"] for each in made["runs"])
    assert small < large
    measured = [each["measured"] for each in made["runs"]]
    assert made["in_order"] is (measured == sorted(measured)), "as they came out, beside others"


def test_what_is_not_here_is_predicted_from_some_layers_of_its_shape(folder: Path) -> None:
    """Without any model: nothing is fetched, and each figure says where it comes from."""
    env = {
        **os.environ,
        "XDG_CACHE_HOME": str(folder / "cache"),
        "EDGEVOICE_MODELS_FOLDER": str(folder / "none"),
    }
    words = ("--slm", "phi-3-mini", "--stt", "whisper-tiny", "--json", "-")
    done = edgevoice_process(
        "fit", "--budget", "60s", "--memory", "100GB", "--again", *words, env=env, patience=LONG
    )
    made = json.loads(done.stdout)
    (choice,) = made["choices"]
    assert choice["how"] == {
        "slm": "part of a shape",
        "stt": "by the machine's speed",
        "tts": "by the machine's speed",
    }
    assert set(choice["missing"]) >= {"phi-3-mini", "whisper-tiny", "en_US-joe-medium"}
    assert not (folder / "none").exists()
    kept = {path.suffix for path in (folder / "cache" / "edgevoice" / "fit").iterdir()}
    assert kept == {".json"}, "a part of a shape does not stay"
