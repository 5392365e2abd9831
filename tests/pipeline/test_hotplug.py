"""What shows that a sound device or a sound server has come, without asking PortAudio."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edgevoice.devices import hotplug as module
from edgevoice.devices.hotplug import hotplug_state, seconds_suspended

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="what is looked at here is Linux's"
)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without cards and servers: its /dev/snd and its runtime folder."""
    for name in ("snd", "run"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(module, "CARDS_FOLDER", tmp_path / "snd")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    for variable in ("PULSE_SERVER", "PULSE_RUNTIME_PATH"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def test_a_card_that_is_plugged_in_again_is_another_one(machine: Path) -> None:
    """Gone, and there again between two looks: a sign all the same."""
    assert hotplug_state().devices == frozenset()
    card = machine / "snd" / "controlC1"
    card.touch()
    first = hotplug_state()
    assert len(first.devices) == 1
    assert hotplug_state() == first
    (machine / "snd" / "pcmC1D0p").touch()
    card.rename(machine / "snd" / "gone")
    card.touch()
    assert hotplug_state().devices - first.devices


@pytest.mark.parametrize("socket", ["run/pulse/native", "run/pipewire-0"])
def test_a_sound_server_that_starts_is_a_sign(machine: Path, socket: str) -> None:
    """Its socket appears."""
    before = hotplug_state()
    place = machine / socket
    place.parent.mkdir(exist_ok=True)
    place.touch()
    assert hotplug_state().devices - before.devices


def test_a_server_named_in_the_environment_is_looked_for_there(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PULSE_SERVER names a socket, with or without the machine's name before it."""
    monkeypatch.setenv("PULSE_SERVER", f"{{abc}}unix:{machine}/socket")
    before = hotplug_state()
    (machine / "socket").touch()
    assert hotplug_state().devices - before.devices


def test_time_asleep_is_what_the_monotonic_clock_leaves_out() -> None:
    """It never runs backwards."""
    first = seconds_suspended()
    assert first >= -1e-3
    assert seconds_suspended() >= first - 1e-3
