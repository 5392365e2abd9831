"""`make run` on a server or in a container: the demo conversation, to its end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("devices can be hidden on Linux only", allow_module_level=True)

from edgevoice.events import TurnCompleted
from edgevoice.trace import read
from tests.command import QUICK, edgevoice_process, message
from tests.terminal import Terminal

pytestmark = pytest.mark.models

RUN = (*QUICK, "run")


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine without any sound device."""
    alsa = tmp_path / "asound.conf"
    alsa.write_text("pcm.!default { type pulse }\nctl.!default { type pulse }\n")
    return {**os.environ, "ALSA_CONFIG_PATH": str(alsa), "PULSE_SERVER": "unix:/nowhere"}


@pytest.fixture
def without_portaudio(bare: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The same, and the library that lists devices is not installed."""
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    return {**bare, "PYTHONPATH": str(tmp_path)}


@pytest.mark.parametrize(
    ("machine", "why"),
    [("bare", "no microphone was found"), ("without_portaudio", "PortAudio is not installed")],
)
def test_without_any_input_device_the_demo_is_held_as_plain_lines_to_its_end(
    machine: str, why: str, starter_models: dict[str, Path], request: pytest.FixtureRequest
) -> None:
    """One line says why, three questions are answered without screen control, and it exits 0."""
    env = request.getfixturevalue(machine)
    done = edgevoice_process(*RUN, "--demo-without-microphone", env=env)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(
        f"edgevoice: {why}: this is the demo; to talk, see `edgevoice devices`"
    )
    assert done.stdout.count("\nyou: ") == 3
    assert "\nended: end of input\n3 turns, median response time " in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_on_a_terminal_the_demo_is_shown_on_the_screen(
    bare: dict[str, str], starter_models: dict[str, Path], tmp_path: Path
) -> None:
    """As the conversation would be, and it ends by itself and leaves the terminal as it was."""
    trace = tmp_path / "trace.jsonl"
    terminal = Terminal(*RUN, "--demo-without-microphone", "--trace", trace, env=bare)
    assert terminal.end() == 0
    assert terminal.restored
    assert b"this is the demo; to talk, see `edgevoice devices`" in terminal.shown
    assert sum(isinstance(event, TurnCompleted) for event in read(trace)) == 3


def test_run_itself_stays_strict(bare: dict[str, str]) -> None:
    """Without the option a missing microphone is an error that says what to do."""
    assert "no microphone was found" in message(edgevoice_process(*RUN, env=bare))
