"""A combination that cannot be measured is found out before, with its reason."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from edgevoice.bench.matrix import validation
from edgevoice.bench.matrix.axes import Combination
from edgevoice.bench.matrix.validation import resolved
from edgevoice.catalog import Catalog, Entry, append
from edgevoice.config import load
from edgevoice.errors import EdgevoiceError, ModelError
from edgevoice.models.shape_table import Architecture
from edgevoice.models.shapes import entry_of
from edgevoice.models.store import Store
from edgevoice.settings import Config
from tests.models.conftest import file_of

HERE = (
    *("silero-vad", "whisper-base", "whisper-tiny.en", "qwen2.5-coder-0.5b"),
    *("en_US-joe-medium", "de_DE-thorsten-medium"),
)


def put_there(entry: Entry, folder: Path) -> None:
    """Files of the right size, as if their hashes had been found right."""
    store = Store(load(flags={"models.folder": str(folder)}).config)
    for file in entry.files:
        path = store.file_path(entry, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.truncate(path, file.size)
        store.proved(entry, file)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A models folder with a few models of the catalog."""
    for name in HERE:
        put_there(Catalog.load().get(name), tmp_path)
    return tmp_path


def tried(
    folder: Path, make: validation.Make | None = None, **settings: str
) -> tuple[Combination, Config]:
    """The combination of these settings, dots written as two underscores."""

    def configured(more: Mapping[str, str]) -> Config:
        return load(flags={"models.folder": str(folder), **more}).config

    values = {key.replace("__", "."): value for key, value in settings.items()}
    return resolved(Combination(values, values), configured, make)


def test_what_is_here_and_fits_together_can_be_measured(folder: Path) -> None:
    """Its configuration is the one that was asked for."""
    cell, config = tried(folder, models__stt="whisper-tiny.en", slm__threads="1")
    assert (config.models.stt, config.slm.threads) == ("whisper-tiny.en", 1)
    assert cell.label == "models.stt=whisper-tiny.en slm.threads=1"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"models__slm": "qwen"}, "no model is called qwen"),
        ({"models__slm": "whisper-base"}, "is a speech to text model, not a language model"),
        ({"models__slm": "gemma-3-270m"}, "edgevoice models pull gemma-3-270m"),
        ({"models__slm": "phi-3-mini"}, "edgevoice models pull phi-3-mini, or --shapes"),
        ({"models__slm": "shape-mistral-7b"}, "--shapes to measure its shape"),
        ({"models__stt": "whisper-small"}, "edgevoice models pull whisper-small"),
        ({"slm__threads": "999"}, "slm.threads cannot be '999'"),
        ({"turn__patience": "endless"}, "turn.patience cannot be 'endless'"),
        ({"models__stt": "whisper-tiny.en", "stt__language": "de"}, "whisper-tiny.en"),
    ],
)
def test_what_is_impossible_is_named_with_its_remedy(
    settings: dict[str, str], told: str, folder: Path
) -> None:
    """A model, a value or a pair that does not go together."""
    with pytest.raises(EdgevoiceError) as caught:
        tried(folder, **settings)
    assert told in str(caught.value)
    assert caught.value.remedy


def test_a_language_and_its_voice_can_be_varied_together(folder: Path) -> None:
    """A combination may change several settings."""
    _, config = tried(folder, models__tts="de_DE-thorsten-medium", stt__language="de")
    assert config.stt.language == "de"


def test_models_that_need_more_memory_than_there_is_are_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With both figures; alone, each of them fits."""
    monkeypatch.setattr(validation, "total_memory", lambda: 900_000_000)
    with pytest.raises(ModelError, match=r"need 1\.4 GB of memory together, 0\.9 GB is all"):
        tried(folder)

    def configured(more: Mapping[str, str]) -> Config:
        return load(flags={"models.folder": str(folder), **more}).config

    assert resolved(Combination({}, {}), configured, alone=["stt", "slm"])


def test_a_shape_stands_for_a_model_that_is_not_here(folder: Path) -> None:
    """It is made once, and everything that names the combination says that it is a shape."""
    made: list[str] = []

    def make(model: Architecture, store: Store) -> Entry:
        made.append(model.name)
        entry = entry_of(model, file_of(f"{model.model}.gguf", b"a shape"))
        append(store.catalog.own_path, entry)
        put_there(entry, folder)
        return entry

    for _ in range(2):
        cell, config = tried(folder, make, models__slm="phi-3-mini")
        assert config.models.slm == "shape-phi-3-mini"
        assert cell.label == "models.slm=phi-3-mini (shape)"
    assert made == ["phi-3-mini"]
    with pytest.raises(ModelError, match="no shape of it is known"):
        tried(folder, make, models__slm="gemma-3-270m")
    assert tried(folder, make, models__slm="qwen2.5-coder-0.5b")[0].label.endswith("0.5b")
