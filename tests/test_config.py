"""One configuration from four layers, each value with its origin, each mistake named exactly."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from edgevoice import config
from edgevoice.config import load
from edgevoice.config_file import remember
from edgevoice.errors import ConfigError
from edgevoice.settings import Config
from tests.command import edgevoice, message


def written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_without_anything_every_value_is_the_default_and_says_so(tmp_path: Path) -> None:
    """No file, no variables and no flags give the defaults, each marked as such."""
    resolved = load(environ={"EDGEVOICE_CONFIG": str(tmp_path / "none.toml")})
    assert resolved.config == Config()
    assert set(resolved.origins.values()) == {"default"}
    assert set(resolved.origins) == set(config.keys())


def test_a_flag_beats_a_variable_beats_the_file_beats_the_default(tmp_path: Path) -> None:
    """Each layer overrides the one below, and the origin names the layer that won."""
    file = written(
        tmp_path / "c.toml",
        "[turn]\nsilence_ms = 500\npause_ms = 200\nmin_speech_ms = 64\n[stt]\nbeam = 2\n",
    )
    environ = {"EDGEVOICE_TURN_SILENCE_MS": "600", "EDGEVOICE_TURN_PAUSE_MS": "210"}
    resolved = load(file, environ, {"turn.silence_ms": "650"})
    turn = resolved.config.turn
    assert (turn.silence_ms, turn.pause_ms, turn.min_speech_ms) == (650, 210, 64)
    assert resolved.origins["turn.silence_ms"] == "--set turn.silence_ms"
    assert resolved.origins["turn.pause_ms"] == "EDGEVOICE_TURN_PAUSE_MS"
    assert resolved.origins["turn.min_speech_ms"] == f"file {file}, line 4"
    assert resolved.origins["turn.pre_roll_ms"] == "default"


def test_text_from_variables_and_flags_becomes_the_type_of_the_setting(tmp_path: Path) -> None:
    """Numbers and booleans arrive as text there and are converted; in the file they are typed."""
    environ = {
        "EDGEVOICE_CONFIG": str(tmp_path / "none.toml"),
        "EDGEVOICE_TURN_BARGE_IN": "false",
        "EDGEVOICE_SLM_TEMPERATURE": "0.7",
    }
    resolved = load(environ=environ, flags={"slm.seed": "42"}).config
    assert resolved.turn.barge_in is False
    assert resolved.slm.temperature == 0.7
    assert resolved.slm.seed == 42


def test_the_file_named_by_the_variable_is_the_users_own(tmp_path: Path) -> None:
    """EDGEVOICE_CONFIG moves the file and is itself no setting."""
    file = written(tmp_path / "mine.toml", '[ui]\ntheme = "light"\n')
    assert load(environ={"EDGEVOICE_CONFIG": str(file)}).config.ui.theme == "light"


@pytest.mark.parametrize(
    ("text", "what", "where", "remedy"),
    [
        ("[turn]\n\nsilense_ms = 5\n", "turn.silense_ms", "line 3", "turn.silence_ms"),
        ("\n[tern]\nsilence_ms = 5\n", "tern", "line 2", "[turn]"),
        ("[ui]\ntheme = 1\n", "ui.theme", "line 2", "'dark'"),
        ("[turn]\nsilence_ms = '5'\n", "turn.silence_ms", "line 2", "the default is 0"),
        ("[turn]\nsilence_ms = -5\n", "turn.silence_ms", "line 2", "the default is 0"),
        ("[turn\n", "not valid TOML", "c.toml", "c.toml"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line_and_what_would_be_right(
    tmp_path: Path, text: str, what: str, where: str, remedy: str
) -> None:
    """An unknown key, section, type, range or syntax: what, which line, and the nearest right."""
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path / "c.toml", text), {})
    assert what in caught.value.what
    assert where in caught.value.where
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_a_file_that_is_not_utf8_is_said_to_be_none(tmp_path: Path, encoding: str) -> None:
    """Read or changed, the remedy is to save it as UTF-8; it stays as it is."""
    path = tmp_path / "c.toml"
    data = '[slm]\nsystem_prompt = "Höflich"\n'.encode(encoding)
    path.write_bytes(data)
    for use in (lambda: load(path, {}), lambda: remember({"ui.theme": "light"}, path)):
        with pytest.raises(ConfigError, match="not UTF-8") as caught:
            use()
        assert caught.value.where == str(path)
        assert "save it as UTF-8" in caught.value.remedy
        assert "codec" not in str(caught.value)
    assert path.read_bytes() == data


@pytest.mark.parametrize(
    ("environ", "where", "remedy"),
    [
        ({"EDGEVOICE_TURN_SILENCE": "5"}, "EDGEVOICE_TURN_SILENCE", "EDGEVOICE_TURN_SILENCE_MS"),
        ({"EDGEVOICE_STT_BEAM": "many"}, "EDGEVOICE_STT_BEAM", "1"),
        ({"EDGEVOICE_CONFG": "x"}, "EDGEVOICE_CONFG", "EDGEVOICE_CONFIG"),
    ],
)
def test_a_mistake_in_a_variable_is_named_with_the_variable(
    tmp_path: Path, environ: dict[str, str], where: str, remedy: str
) -> None:
    """An unknown variable or a value of the wrong type names the variable and the nearest right."""
    with pytest.raises(ConfigError) as caught:
        load(environ={"EDGEVOICE_CONFIG": str(tmp_path / "none.toml"), **environ})
    assert caught.value.where == where
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("turn.patience", "'quick', 'normal', 'patient'"),
        ("activation.mode", "'always', 'wake', 'push'"),
        ("ui.theme", "'dark', 'light'"),
    ],
)
def test_a_value_that_is_none_of_a_few_is_answered_with_all_of_them(key: str, values: str) -> None:
    """The message lists what the setting takes."""
    with pytest.raises(ConfigError) as caught:
        load(environ={"EDGEVOICE_CONFIG": "none.toml"}, flags={key: "nonsense"})
    assert values in caught.value.remedy


def test_an_unknown_flag_key_is_named_with_the_nearest(tmp_path: Path) -> None:
    """--set with a key that does not exist suggests the one that does."""
    with pytest.raises(ConfigError) as caught:
        load(
            environ={"EDGEVOICE_CONFIG": str(tmp_path / "none.toml")},
            flags={"slm.temprature": "1"},
        )
    assert "slm.temperature" in caught.value.remedy


def test_a_file_that_was_asked_for_must_exist(tmp_path: Path) -> None:
    """--config with a path that is not there is an error, not silently the defaults."""
    with pytest.raises(ConfigError, match="no such configuration file"):
        load(tmp_path / "none.toml", {})


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are refused with the file's name."""
    (tmp_path / "c.toml").write_bytes(b"\xff\xfe[turn]")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "c.toml", {})
    assert "c.toml" in caught.value.where


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("EDGEVOICE_PORT", "tcp://10.0.0.7:9464"),
        ("EDGEVOICE_PORT_9464_TCP", "tcp://10.0.0.7:9464"),
        ("EDGEVOICE_PORT_9464_TCP_ADDR", "10.0.0.7"),
        ("EDGEVOICE_PORT_53_UDP_PROTO", "udp"),
        ("EDGEVOICE_SERVICE_HOST", "10.0.0.7"),
        ("EDGEVOICE_SERVICE_PORT", "9464"),
        ("EDGEVOICE_SERVICE_PORT_METRICS", "9464"),
        ("EDGEVOICE_METRICS_SERVICE_HOST", "10.0.0.7"),
        ("EDGEVOICE_METRICS_PORT", "tcp://10.0.0.7:9464"),
        ("EDGEVOICE_VERSION", "1.2"),
        ("EDGEVOICE_HOME", "/opt/edgevoice"),
    ],
)
def test_a_variable_that_a_platform_sets_is_ignored_with_a_warning(
    tmp_path: Path, variable: str, text: str
) -> None:
    """Other programs use our prefix for a service of this name: that stops no command."""
    environ = {"EDGEVOICE_CONFIG": str(tmp_path / "none.toml"), variable: text}
    resolved = load(environ=environ)
    assert resolved.config == Config()
    (warning,) = resolved.warnings
    assert variable in warning


def test_all_variables_of_a_platform_are_one_warning(tmp_path: Path) -> None:
    """A platform sets a dozen for a service; a command mentions them once."""
    names = [f"EDGEVOICE_{name}" for name in ("SERVICE_PORT", "PORT_9464_TCP", "SERVICE_HOST")]
    environ = {"EDGEVOICE_CONFIG": str(tmp_path / "none.toml"), **dict.fromkeys(names, "10.0.0.7")}
    (warning,) = load(environ=environ).warnings
    assert warning == f"{', '.join(sorted(names))} are ignored: there are no such settings"
    env = {**os.environ, **environ}
    assert edgevoice("config", "show", env=env).stderr == f"edgevoice: {warning}\n"


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("turn.silence_ms=soon", "turn.silence_ms cannot be 'soon': it must be a whole number"),
        ("turn.silence_ms=1.5", "turn.silence_ms cannot be '1.5': it must be a whole number"),
        ("turn.silence_ms=-1", "it must be a whole number, at least 0"),
        ("turn.max_seconds=0", "it must be a number, more than 0"),
        ("tts.speed=3", "it must be a number, at most 2"),
        ("turn.barge_in=maybe", "it must be true or false"),
        ("turn.patience=soon", "turn.patience cannot be 'soon'"),
    ],
)
def test_a_wrong_value_is_told_in_plain_english(setting: str, why: str) -> None:
    """The setting, what was given and what it takes, without the words of programmers."""
    told = message(edgevoice("--set", setting, "config", "show"), 2)
    assert why in told
    assert not re.search(r"`|\$|\bint\b|\bstr\b|\bfloat\b|\benum\b|[Ee]xpected", told)


def test_a_wrong_type_in_the_file_is_told_in_plain_english(tmp_path: Path) -> None:
    """What it is, and what it must be."""
    file = written(tmp_path / "c.toml", "[turn]\nsilence_ms = 'soon'\n")
    with pytest.raises(ConfigError, match="it must be a whole number, not text"):
        load(file, {})


@pytest.mark.parametrize(
    "variable", ["EDGEVOICE_TURN_SILENCE_MS", "EDGEVOICE_STT_LANGUAGE", "EDGEVOICE_NONSENSE"]
)
@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_variable_is_unset(tmp_path: Path, variable: str, text: str) -> None:
    """A variable that a script or a compose file leaves empty changes nothing and is no error."""
    environ = {"EDGEVOICE_CONFIG": str(tmp_path / "none.toml"), variable: text}
    resolved = load(environ=environ)
    assert resolved.config == Config()
    assert set(resolved.origins.values()) == {"default"}
    assert resolved.warnings == ()


def test_a_byte_order_mark_is_no_part_of_the_file(tmp_path: Path) -> None:
    """A file that an editor saved with a mark is read, and can be written to."""
    file = tmp_path / "c.toml"
    file.write_text('[turn]\nsilence_ms = 500\n[ui]\ntheme = "light"\n', "utf-8-sig")
    resolved = load(file, {})
    assert resolved.config.turn.silence_ms == 500
    assert resolved.origins["turn.silence_ms"] == f"file {file}, line 2"
    remember({"ui.theme": "dark"}, file)
    again = load(file, {}).config
    assert (again.ui.theme, again.turn.silence_ms) == ("dark", 500)


def test_a_list_can_be_given_as_text_and_in_the_file(tmp_path: Path) -> None:
    """A variable or `--set` takes it as TOML does within a line; what is no list is refused."""
    listed = ("a.gguf * 0.5", 'b "c".gguf')
    given = {"slm.adapters": config.text_of(listed)}
    empty = written(tmp_path / "c.toml", "")
    assert load(empty, {}, given).config.slm.adapters == listed
    file = written(tmp_path / "d.toml", "[slm]\nadapters = ['a.gguf * 0.5', 'b \"c\".gguf']\n")
    assert load(file, {}).config.slm.adapters == listed
    with pytest.raises(ConfigError, match=r"slm\.adapters cannot be"):
        load(empty, {}, {"slm.adapters": "a.gguf"})


def test_a_table_can_be_given_as_text(tmp_path: Path) -> None:
    """A variable or `--set` takes it as TOML does within a line, and a replay writes it so."""
    lexicon = {"Siobhan": "/ʃɪvˈɔːn/", 'a "b"': "c"}
    given = {"tts.lexicon": config.text_of(lexicon)}
    resolved = load(written(tmp_path / "c.toml", ""), {}, given)
    assert resolved.config.tts.lexicon == lexicon
