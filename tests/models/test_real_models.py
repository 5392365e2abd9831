"""The starter models themselves are what the catalog says."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgevoice.errors import ModelError
from edgevoice.models import kinds
from edgevoice.models.gguf import read_header
from edgevoice.models.store import Store
from edgevoice.settings import Config

pytestmark = pytest.mark.models


def here() -> list[Path]:
    return [m.path for m in Store(Config()).installed() if m.entry.format == "gguf"]


def test_real_language_models_are_as_long_as_their_headers_say() -> None:
    """The length reckoned from a real file's tensors is its size, and it can converse."""
    paths = here()
    assert paths
    for path in paths:
        with path.open("rb") as source:
            header = read_header(source.read)
        assert header.length == path.stat().st_size, path
        assert header.context >= 4096


def test_real_models_are_recognized_for_what_they_are() -> None:
    """What `models add` would make of each starter model agrees with the catalog."""
    for model in Store(Config()).installed():
        entry, path = model.entry, model.path
        if entry.format == "gguf" and entry.chat_template:
            with path.open("rb") as source:
                kind = kinds.gguf(source.read, path.stat().st_size, str(path))
            assert kind.context == entry.context
            assert 0.5 < kind.ram / entry.ram < 1.5, (entry.name, kind.ram)
        elif entry.format == "ctranslate2":
            with (path / "model.bin").open("rb") as source:
                head = source.read(64)
            config = (path / "config.json").read_bytes()
            names = [file.name for file in entry.files]
            kind = kinds.whisper(names, config, head, entry.main.size, str(path))
            assert kind.languages == entry.languages
        elif entry.format == "piper":
            config = path.with_name(f"{path.name}.json").read_bytes()
            with path.open("rb") as source:
                kind = kinds.voice(config, source.read(64), entry.main.size, str(path))
            assert kind.languages == entry.languages
        else:
            continue
        assert (kind.role, kind.format) == (entry.role, entry.format)


def test_a_truncated_real_model_is_refused(tmp_path: Path) -> None:
    """A download that broke off is told from the header of the file alone."""
    path = here()[0]
    with path.open("rb") as source, pytest.raises(ModelError, match="truncated"):
        kinds.gguf(source.read, path.stat().st_size - 1, str(path))
