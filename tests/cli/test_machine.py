"""`devices` and `doctor`: their output, and one failed check never hides another."""

from __future__ import annotations

import json
from pathlib import Path

import click.testing
import pytest

from edgevoice import doctor
from edgevoice.catalog import Catalog
from edgevoice.cli import cli
from edgevoice.config import Resolved, load
from edgevoice.devices import listing
from edgevoice.devices.listing import Device
from edgevoice.errors import ConfigError, DeviceError
from edgevoice.models.store import Store
from edgevoice.settings import Config

HEADSET = Device(3, "USB Headset", "ALSA", 1, 2, 48000.0, True, True)
MONITOR = Device(4, "HDMI 1", "ALSA", 0, 8, 44100.0, False, False)


def run(*words: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(cli, words)


def plugged(monkeypatch: pytest.MonkeyPatch, *devices: Device) -> None:
    monkeypatch.setattr(listing, "listed", lambda: list(devices))


def checks(folder: Path, **settings: str) -> dict[str, doctor.Check]:
    flags = {"models.folder": str(folder), **settings}
    return {check.name: check for check in doctor.examine(lambda: load(flags=flags))}


@pytest.fixture
def no_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a sound card."""
    plugged(monkeypatch)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check no engines: that takes seconds and has its own test."""
    monkeypatch.setattr(doctor, "NATIVE_LIBRARIES", {})


def test_devices_shows_numbers_names_channels_rates_and_the_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each device has a row with everything needed to choose it."""
    plugged(monkeypatch, HEADSET, MONITOR)
    header, headset, monitor = run("devices").stdout.splitlines()
    assert header.split() == ["input", "output", "rate", "API", "name"]
    assert headset.split("  ")[0] == "3"
    assert headset.endswith("ALSA  USB Headset  (default input and output)")
    assert " ".join(monitor.split()) == "4 - 8 ch 44100 Hz ALSA HDMI 1"


def test_devices_json_is_the_same_for_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each device is an object with typed fields."""
    plugged(monkeypatch, HEADSET)
    (headset,) = json.loads(run("devices", "--json").stdout)
    assert headset == {
        "index": 3,
        "name": "USB Headset",
        "api": "ALSA",
        "inputs": 1,
        "outputs": 2,
        "rate": 48000.0,
        "default_input": True,
        "default_output": True,
    }


@pytest.mark.usefixtures("no_devices")
@pytest.mark.parametrize("words", [("devices",), ("devices", "--json")])
def test_no_device_at_all_is_an_error_with_a_way_out(words: tuple[str, ...]) -> None:
    """Instead of an empty table, an error says what to do."""
    done = run(*words)
    assert done.exit_code == 1
    assert isinstance(done.exception, DeviceError)
    assert "demo" in done.exception.remedy


@pytest.mark.usefixtures("no_devices", "loads")
def test_without_models_and_devices_each_is_named_with_its_fix(tmp_path: Path) -> None:
    """One run finds everything that is missing, and every failure has a fix."""
    found = checks(tmp_path / "models")
    failed = {name for name, check in found.items() if check.state == "failed"}
    assert failed == {
        *("microphone", "speaker", "speech to text", "language model", "voice"),
        *("speech detection", "chat template", "offline", "languages"),
    }
    assert all(found[name].fix for name in failed)
    assert "edgevoice models pull whisper-base" in found["speech to text"].fix


@pytest.mark.usefixtures("no_devices", "loads")
def test_a_turn_detector_is_missed_but_not_needed(tmp_path: Path) -> None:
    """A missing model is a warning with the command that installs it; turned off, it is fine."""
    missed = checks(tmp_path / "models")["turn detection"]
    assert missed.state == "warning"
    assert missed.fix == "edgevoice models pull smart-turn-v3.2"
    off = checks(tmp_path / "models", **{"models.turn": "none"})["turn detection"]
    assert (off.state, off.fix) == ("ok", "")
    foreign = checks(tmp_path / "models", **{"stt.language": "cy"})["turn detection"]
    assert (foreign.state, foreign.fix) == ("ok", "")


def pretend(folder: Path, *names: str) -> None:
    """Files of the right size, which is all that a quick check compares."""
    catalog = Catalog.load()
    for name in names:
        for file in catalog.get(name).files:
            (folder / name).mkdir(parents=True, exist_ok=True)
            with (folder / name / file.name).open("wb") as sparse:
                sparse.truncate(file.size)


@pytest.mark.usefixtures("no_devices", "loads")
def test_each_language_is_shown_with_its_recognizer_and_its_voice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing voice has a command that installs it; a missing transcription is a failure."""
    monkeypatch.setattr(Store, "prove", lambda *_: "")
    folder = tmp_path / "models"
    pretend(folder, "whisper-base", "whisper-tiny.en", "en_US-joe-medium", "de_DE-thorsten-medium")
    here = checks(folder, **{"stt.language": "en,de"})["languages"]
    assert here.state == "ok"
    assert here.found.splitlines() == [
        "en: whisper-base and en_US-joe-medium",
        "de: whisper-base and de_DE-thorsten-medium",
    ]
    voiceless = checks(folder, **{"stt.language": "en,fr"})["languages"]
    assert voiceless.state == "warning"
    assert "fr: whisper-base and no voice" in voiceless.found
    assert voiceless.fix == "edgevoice models pull fr_FR-siwis-medium"
    deaf = checks(folder, **{"stt.language": "en,de", "models.stt": "whisper-tiny.en"})["languages"]
    assert deaf.state == "failed"
    assert "de: no transcription" in deaf.found
    assert "whisper-base" in deaf.fix
    assert checks(folder, **{"stt.language": "auto"})["languages"].found.splitlines() == [
        "en: whisper-base and en_US-joe-medium",
        "de: whisper-base and de_DE-thorsten-medium",
    ]


@pytest.mark.usefixtures("no_devices", "loads")
def test_models_can_be_listed_by_language(tmp_path: Path) -> None:
    """Voices and transcription models for the language are shown, others are not."""
    words = ("--set", f"models.folder={tmp_path}", "models", "list", "--language", "de", "--json")
    names = {row["name"] for row in json.loads(run(*words).stdout)}
    assert {"de_DE-thorsten-medium", "whisper-base"} <= names
    assert not {"en_US-joe-medium", "whisper-base.en", "fr_FR-siwis-medium"} & names


@pytest.mark.usefixtures("no_devices", "loads")
def test_a_broken_configuration_does_not_hide_the_other_checks(tmp_path: Path) -> None:
    """The error is one line of the report; all other checks use the defaults."""

    def broken() -> Resolved:
        raise ConfigError("unknown setting turn.x", where="c.toml, line 3", remedy="delete it")

    found = {check.name: check for check in doctor.examine(broken)}
    assert found["configuration"] == doctor.Check(
        *("configuration", "failed", "unknown setting turn.x (c.toml, line 3)", "delete it")
    )
    assert len(found) == len(checks(tmp_path))


@pytest.mark.usefixtures("no_devices", "loads")
def test_a_check_that_breaks_does_not_hide_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected error is reported, and the following checks still run."""

    def breaks() -> int:
        raise RuntimeError("no such counter")

    monkeypatch.setattr("edgevoice.models.machine.cores", breaks)
    found = checks(tmp_path)
    assert "RuntimeError: no such counter" in found["processor"].found
    assert list(found)[-1] == "offline"


@pytest.mark.usefixtures("no_devices", "loads")
def test_what_an_extra_asks_for_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packages of an extra may be missing, required packages may not."""
    asked = ["click>=8.1", "not-there-at-all>=1; extra == 'otel'", "nowhere-either>=2"]
    monkeypatch.setattr("importlib.metadata.requires", lambda name: asked)
    found = checks(tmp_path)["packages"]
    assert (found.state, found.found) == ("failed", "not installed: nowhere-either")


@pytest.mark.usefixtures("no_devices")
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; os.abort()", "crashes"),
        ("raise ImportError('libgomp.so.1 is missing')", "libgomp.so.1 is missing"),
    ],
)
def test_an_engine_that_does_not_load_or_crashes_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, said: str
) -> None:
    """A library built for another processor crashes its own process, not the doctor's."""
    (tmp_path / "soxr.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(doctor, "NATIVE_LIBRARIES", {"soxr": "soxr"})
    check = checks(tmp_path / "models")["engines"]
    assert check.state == "failed"
    assert said in check.found
    assert check.fix == "pip install --force-reinstall --no-cache-dir soxr"


@pytest.mark.usefixtures("no_devices", "loads")
@pytest.mark.parametrize(
    ("total", "free", "state"),
    [(64e9, 32e9, "ok"), (64e9, 0.1e9, "warning"), (0.2e9, 0.1e9, "failed")],
)
def test_memory_is_judged_by_what_the_chosen_models_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: float, free: float, state: str
) -> None:
    """Too little memory is a failure; too little free memory is a warning."""
    monkeypatch.setattr("edgevoice.models.machine.total_memory", lambda: int(total))
    monkeypatch.setattr("edgevoice.models.machine.free_memory", lambda: int(free))
    assert checks(tmp_path)["memory"].state == state


@pytest.mark.usefixtures("no_devices", "loads")
def test_doctor_exits_with_1_while_something_stands_in_the_way(tmp_path: Path) -> None:
    """The exit code tells scripts the result; people read a line per check."""
    done = run("--set", f"models.folder={tmp_path}", "doctor")
    assert done.exit_code == 1
    assert "✗ FAILED   microphone" in done.stdout
    assert "fix: edgevoice models pull whisper-base" in done.stdout
    assert done.stdout.splitlines()[-1].startswith(
        "Not ready for a conversation: microphone, speaker"
    )


@pytest.mark.usefixtures("no_devices", "loads")
def test_doctor_json_says_the_same_to_programs(tmp_path: Path) -> None:
    """The JSON has the result and every check with its state."""
    report = json.loads(run("--set", f"models.folder={tmp_path}", "doctor", "--json").stdout)
    assert report["can_converse"] is False
    states = {check["name"]: check["state"] for check in report["checks"]}
    assert states["Python"] == "ok"
    assert states["microphone"] == "failed"


@pytest.mark.models
def test_with_the_starter_models_it_can_run_offline(
    starter_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All roles have a model, the chat template is valid, and the engines load."""
    plugged(monkeypatch)
    found = {check.name: check for check in doctor.examine(lambda: Resolved(Config(), {}))}
    sound = {"microphone", "speaker"}
    assert {n for n, check in found.items() if check.state == "failed"} <= sound
    assert found["offline"].state == "ok"
    assert found["engines"].state == "ok"
