"""The user's folders, on a system that may not know the user."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgevoice.places import expanded, user_folder
from tests.command import edgevoice, message

pytestmark = pytest.mark.skipif(os.name != "posix", reason="users are known by number on POSIX")


@pytest.fixture
def unknown_user(monkeypatch: pytest.MonkeyPatch, elsewhere: Path) -> None:
    """A user without a home folder, as containers run programs under any number."""

    def nobody(_: object) -> None:
        raise KeyError("not found")

    monkeypatch.setattr("pwd.getpwuid", nobody)
    monkeypatch.setattr("pwd.getpwnam", nobody)
    for variable in list(os.environ):
        if variable == "HOME" or variable.startswith(("XDG_", "EDGEVOICE_", "HF_", "OLLAMA_")):
            monkeypatch.delenv(variable)


@pytest.mark.parametrize(
    "words",
    [
        ("config", "show"),
        ("config", "path"),
        ("config", "init"),
        ("models", "list"),
        ("models", "add", "~/x.gguf"),
        ("doctor",),
        ("ask", "Why?"),
        ("say", "Hello"),
        ("run", "--plain"),
        ("demo", "--plain"),
        ("transcribe", __file__),
        ("fit", "--budget", "1s"),
        ("bench", "run"),
        ("replay", "~/turn"),
        ("ptt",),
    ],
)
def test_without_a_home_folder_one_message_names_the_variable(
    words: tuple[str, ...], unknown_user: None, elsewhere: Path
) -> None:
    """Nothing is written to a folder named ~, and the message says what to set."""
    assert "set HOME" in message(edgevoice(*words))
    assert list(elsewhere.iterdir()) == []


def test_a_variable_of_the_system_stands_in_for_home(
    unknown_user: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With a folder for each kind of file nothing asks for HOME."""
    for kind in ("config", "data", "cache"):
        monkeypatch.setenv(f"XDG_{kind.upper()}_HOME", str(tmp_path / kind))
        assert tmp_path in user_folder(kind).parents  # type: ignore[arg-type]
    assert edgevoice("config", "show").returncode == 0
    assert edgevoice("models", "list").returncode == 0


@pytest.mark.parametrize("path", ["~/models", "~nosuchuser/models"])
def test_a_setting_with_a_home_folder_that_is_not_there_is_named(
    path: str, unknown_user: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A ~ in a setting, where nothing says what it stands for, is one message with that setting's
    text."""
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path))
    assert path in message(edgevoice("--set", f"models.folder={path}", "models", "list"))


def test_a_path_without_a_tilde_needs_no_home(unknown_user: None) -> None:
    """Whole and relative paths stay as they are."""
    assert expanded("/srv/models") == Path("/srv/models")
    assert expanded("models/~x") == Path("models/~x")
