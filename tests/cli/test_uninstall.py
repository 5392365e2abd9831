"""`edgevoice uninstall`: everything that was ever written is listed, and deleted if wanted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgevoice.places import user_folder
from tests.command import edgevoice, message

MODEL = "silero-vad"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """One file of each kind."""
    monkeypatch.setenv("EDGEVOICE_MODELS_FOLDER", str(tmp_path / "models"))
    monkeypatch.setenv("EDGEVOICE_RECORDINGS_FOLDER", str(tmp_path / "turns"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "none"))
    made = {
        "configuration": Path(os.environ["EDGEVOICE_CONFIG"]),
        "catalog": user_folder("data") / "catalog.toml",
        "model": tmp_path / "models" / MODEL / "model.onnx",
        "unknown model": tmp_path / "models" / "older" / ".proved",
        "download": tmp_path / "models" / ".partial" / "0" / "data",
        "turn": tmp_path / "turns" / "turn-000001.wav",
        "skill": user_folder("config") / "skills" / "jokes" / "skill.toml",
        "timers": user_folder("data") / "timers.json",
        "lock of the timers": user_folder("data") / "timers.lock",
        "key": user_folder("data") / "serve" / "ca.key",
        "counters": user_folder("data") / "kiosk.json",
        "cache": user_folder("cache") / "prompts" / "x.kv",
    }
    for path in made.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return made


def test_everything_is_listed_and_deleted(home: dict[str, Path]) -> None:
    """With --yes without a question; a second time there is nothing."""
    done = edgevoice("uninstall", "--yes")
    assert done.returncode == 0, done.stderr
    for path in home.values():
        assert not path.exists()
        assert any(str(parent) in done.stdout for parent in (path, *path.parents[:2]))
    assert "pip uninstall edgevoice" in done.stdout
    assert "Nothing to delete." in edgevoice("uninstall").stdout


def test_nothing_is_deleted_without_a_yes(home: dict[str, Path]) -> None:
    """The question is asked after the list; no, or the end of the input, keeps all."""
    assert edgevoice("uninstall", stdin="n\n").returncode == 0
    assert edgevoice("uninstall").returncode == 130
    assert all(path.exists() for path in home.values())


def test_files_of_others_stay(home: dict[str, Path]) -> None:
    """In the folders of models and recordings, and what a linked model points to."""
    others = [
        home["turn"].with_name("notes.txt"),
        home["model"].parents[1] / "mine" / "weights.gguf",
        home["catalog"].with_name("diary.txt"),
        home["turn"].parents[1] / "elsewhere" / "model.bin",
    ]
    for path in others:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    (home["model"].parents[1] / "whisper-base").symlink_to(others[-1].parent)
    done = edgevoice("uninstall", "--yes")
    assert all(path.exists() for path in others)
    assert not (home["model"].parents[1] / "whisper-base").is_symlink()
    assert f"{others[2].parent}\tstays: it has other files" in done.stdout


def test_a_damaged_configuration_deletes_nothing(home: dict[str, Path]) -> None:
    """It may name other folders, so it is to be mended or deleted first."""
    home["configuration"].write_text("[models", "utf-8")
    assert "edit or delete" in message(edgevoice("uninstall", "--yes"), 2)
    assert all(path.exists() for path in home.values())


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may delete everything")
def test_what_cannot_be_deleted_is_named(home: dict[str, Path]) -> None:
    """With a remedy."""
    home["model"].parent.chmod(0o500)
    assert "it cannot be deleted" in message(edgevoice("uninstall", "--yes"))
    home["model"].parent.chmod(0o700)
