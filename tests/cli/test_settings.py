"""`config show`, `path` and `init`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click.testing
import pytest

from edgevoice.cli import cli
from edgevoice.cli.settings import explained, template
from edgevoice.config import keys, load
from edgevoice.errors import UsageError
from edgevoice.settings import Config

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def run(*words: str) -> str:
    """Standard output of a command that must succeed; errors are raised."""
    done = click.testing.CliRunner().invoke(cli, words, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the user's configuration file."""
    path = tmp_path / "config.toml"
    monkeypatch.setenv("EDGEVOICE_CONFIG", str(path))
    return path


def test_show_prints_every_setting_with_its_value_and_origin(file: Path) -> None:
    """Each setting is a line; a changed one has the file and line of its origin."""
    file.write_text("[turn]\nsilence_ms = 450\n")
    lines = run("--set", "ui.theme=light", "config", "show").splitlines()
    assert [line.split(" ")[0] for line in lines] == list(keys())
    by_key = {line.split(" ")[0]: line for line in lines}
    assert by_key["turn.silence_ms"].split("=", 1)[1].split() == [
        *("450", "#", "file", f"{file},", "line", "2")
    ]
    assert by_key["ui.theme"].endswith('"light"'.ljust(34) + "  # --set ui.theme")
    assert by_key["slm.seed"].endswith("  # default")


def test_what_show_prints_is_itself_a_configuration(file: Path) -> None:
    """Copied to the file, the lines give the same configuration."""
    shown = run("--set", 'slm.system_prompt=Say "hm"\\ and é', "config", "show")
    file.write_text("\n".join(line for line in shown.splitlines()), "utf-8")
    assert tomllib.loads(shown)["slm"]["system_prompt"] == 'Say "hm"\\ and é'
    assert load(file, {}).config.slm.system_prompt == 'Say "hm"\\ and é'


def test_show_json_gives_values_with_their_types(file: Path) -> None:
    """The JSON has numbers and booleans, and the same origins."""
    shown = json.loads(run("--set", "turn.barge_in=false", "config", "show", "--json"))
    assert shown["turn.barge_in"] == {"value": False, "origin": "--set turn.barge_in"}
    assert shown["slm.context"] == {"value": 4096, "origin": "default"}
    assert list(shown) == list(keys())


def test_path_names_the_file_in_use_even_when_it_is_not_there(file: Path, tmp_path: Path) -> None:
    """EDGEVOICE_CONFIG and --config name another file."""
    assert run("config", "path") == f"{file}\n"
    other = tmp_path / "other.toml"
    assert run("--config", str(other), "config", "path") == f"{other}\n"


def test_init_writes_a_file_that_changes_nothing(file: Path) -> None:
    """Every setting is a comment, so the configuration stays the default."""
    assert run("config", "init") == f"{file}\n"
    assert load(file, {}).config == Config()


def test_taking_every_comment_sign_away_still_gives_the_defaults(tmp_path: Path) -> None:
    """The file shows the actual defaults, each in its section."""
    lines = [line for line in template().splitlines() if not line.startswith("# ")]
    path = tmp_path / "all.toml"
    path.write_text("\n".join(line.removeprefix("#") for line in lines), "utf-8")
    resolved = load(path, {})
    assert resolved.config == Config()
    assert all(origin.startswith("file ") for origin in resolved.origins.values())


def test_every_setting_is_explained() -> None:
    """Every setting has a description."""
    assert [setting.key for setting in explained() if not setting.doc] == []
    assert [setting.key for setting in explained()] == list(keys())


def test_init_says_which_values_a_setting_takes() -> None:
    """Bounds and choices are computed from the types."""
    by_key = {setting.key: setting for setting in explained()}
    assert by_key["tts.speed"].bounds == "From 0.5 to 2."
    assert by_key["turn.max_seconds"].bounds == "Above 0 to 600."
    assert by_key["ui.theme"].bounds == "One of: dark, light."


def test_init_does_not_replace_a_file_unless_told_to(file: Path) -> None:
    """A second init keeps the file; --force replaces it."""
    file.write_text("[stt]\nbeam = 5\n")
    with pytest.raises(UsageError, match="--force"):
        run("config", "init")
    assert file.read_text() == "[stt]\nbeam = 5\n"
    run("config", "init", "--force")
    assert load(file, {}).config == Config()
