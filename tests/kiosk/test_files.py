"""What `edgevoice kiosk init` writes."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from edgevoice.config import load
from edgevoice.errors import ConfigError
from edgevoice.kiosk import hours, units
from edgevoice.kiosk.initial import KioskAnswers, kiosk_toml
from edgevoice.kiosk.prompt import with_rules
from tests.command import edgevoice, message

WORDS = ["/opt/my kiosk/bin/python", "-m", "edgevoice", "kiosk", "run", "/srv/100% done/kiosk.toml"]


def test_the_first_kiosk_toml_is_a_configuration(tmp_path: Path) -> None:
    """With any text in the answers."""
    path = tmp_path / "kiosk.toml"
    text = kiosk_toml(
        KioskAnswers(
            'the "Town" museum\\', "de,en", "tu-su 10:00-18:00", 30, 'Dial "112".', "politics"
        )
    )
    path.write_text(text, "utf-8")
    config = load(path).config
    assert config.stt.language == "de,en"
    assert (config.kiosk.reset_s, config.kiosk.emergency) == (30, 'Dial "112".')
    assert 'the "Town" museum\\' in config.slm.system_prompt
    assert config.audio.wait
    assert config.turn.patience == "patient"
    prompt = with_rules(config.slm.system_prompt, config.kiosk)
    assert 'Dial "112".' in prompt
    assert "politics" in prompt


@pytest.mark.parametrize(
    ("answers", "what"),
    [
        (KioskAnswers(languages="en,klingon"), "klingon"),
        (KioskAnswers(hours="whenever"), "whenever"),
        (KioskAnswers(hours="mo 25:00-26:00"), "25:00"),
    ],
)
def test_an_answer_that_cannot_be_used_is_named(answers: KioskAnswers, what: str) -> None:
    """Before anything is written."""
    with pytest.raises(ConfigError, match=what):
        kiosk_toml(answers)


@pytest.mark.parametrize(
    ("text", "now", "expected"),
    [
        ("", "2026-12-01 03:00", True),
        ("tu-su 10:00-18:00", "2026-12-01 10:00", True),
        ("tu-su 10:00-18:00", "2026-12-01 18:00", False),
        ("tu-su 10:00-18:00", "2026-11-30 12:00", False),
        ("mo-fr 09:00-12:00, mo-fr 14:00-18:00", "2026-12-01 13:00", False),
        ("mo-fr 09:00-12:00, mo-fr 14:00-18:00", "2026-12-01 11:00", True),
        ("fr-mo 9:00-17:00", "2026-11-29 16:59", True),
        ("sa 20:00-02:00", "2026-11-29 01:30", True),
        ("sa 20:00-02:00", "2026-11-28 01:30", False),
        ("08:00-24:00", "2026-12-01 23:59", True),
    ],
)
def test_opening_hours(text: str, now: str, expected: bool) -> None:
    """Hours add up, may pass midnight, and hold every day without a day."""
    assert hours.is_open(hours.parsed(text), datetime.fromisoformat(now)) is expected


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
@pytest.mark.parametrize("user", ["", "root"])
def test_systemd_finds_no_fault_with_the_unit(tmp_path: Path, user: str) -> None:
    """Also with blanks and per cent signs in the paths."""
    program = tmp_path / "my kiosk" / "python"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "edgevoice-kiosk.service"
    unit.write_text(units.service([str(program), *WORDS[1:]], user, [tmp_path / "a b"]))
    assert units.complaints(unit) == ""
    unit.write_text(unit.read_text().replace("Type=notify", "Typ=notify"))
    assert "Typ" in (units.complaints(unit) or "")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_the_unit_of_the_system_is_well_contained(tmp_path: Path) -> None:
    """By systemd's own measure, from 0 (safe) to 10."""
    unit = tmp_path / "edgevoice-kiosk.service"
    unit.write_text(units.service(["/bin/true"], "nobody", [tmp_path]))
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=40", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-500:]


def test_launchd_and_windows_get_well_formed_files() -> None:
    """With the same command."""
    assert plistlib.loads(units.agent(WORDS).encode())["ProgramArguments"] == WORDS
    task = ElementTree.fromstring(units.task(WORDS).replace('encoding="UTF-16"', ""))
    namespace = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
    assert task.findtext(".//t:Command", namespaces=namespace) == WORDS[0]
    assert '"/srv/100% done/kiosk.toml"' in (
        task.findtext(".//t:Arguments", namespaces=namespace) or ""
    )


def test_init_writes_what_it_says_and_replaces_nothing(tmp_path: Path) -> None:
    """A second time only with --force; the answers may come from a file."""
    answers = tmp_path / "answers.toml"
    answers.write_text('place = "the harbour"\nhours = "mo-fr 8:00-17:00"\n')
    command = ["kiosk", "init", str(tmp_path / "kiosk"), "--answers", str(answers)]
    done = edgevoice(*command)
    assert done.returncode == 0, done.stderr
    assert "to install it:" in done.stdout
    assert {path.name for path in (tmp_path / "kiosk").iterdir()} == {
        "kiosk.toml",
        "edgevoice-kiosk.service",
        "org.edgevoice.kiosk.plist",
        "edgevoice-kiosk.xml",
    }
    before = (tmp_path / "kiosk" / "kiosk.toml").read_text()
    answers.write_text('place = "another place"\n')
    refused = edgevoice(*command)
    assert refused.returncode == 2
    assert "exists already" in message(refused, 2)
    assert (tmp_path / "kiosk" / "kiosk.toml").read_text() == before
    assert edgevoice(*command, "--force").returncode == 0
    answers.write_text("place = 7\n")
    assert edgevoice(*command, "--force").returncode == 2
    assert "another place" in (tmp_path / "kiosk" / "kiosk.toml").read_text()
