"""A sound system that crashes or hangs is met by a small process, and told as one error."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgevoice.devices import probe
from edgevoice.errors import NoDeviceError
from tests.command import edgevoice_process, message
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only ALSA is known to end a process"
)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script that is run in the place of the process that tries the sound system."""
    # A command that ran in this process before may have begun to try the real one.
    with contextlib.suppress(NoDeviceError):
        probe.check()
    script = tmp_path / "python"
    script.touch(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    return script


def test_a_configuration_that_ends_a_process_from_c_code_is_a_message() -> None:
    """With nothing in ALSA's configuration, the command lives and says what to do."""
    env = {**os.environ, "ALSA_CONFIG_PATH": "/dev/null"}
    message(edgevoice_process("devices", env=env))


def test_a_sound_system_that_crashes_is_an_error_each_time(stand_in: Path) -> None:
    """And none any more once it is mended: nothing of a crash is kept."""
    stand_in.write_text("#!/bin/sh\nkill -ABRT $$\n")
    for _ in range(2):
        with pytest.raises(NoDeviceError, match="crashes") as caught:
            probe.check()
        assert "asoundrc" in caught.value.remedy
    stand_in.write_text("#!/bin/sh\nexit 0\n")
    probe.check()


def test_a_sound_system_that_hangs_is_not_waited_for_long(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that tried is ended."""
    monkeypatch.setattr(probe, "PROBE_TIMEOUT", 0.2)
    stand_in.write_text(f"#!/bin/sh\necho $$ > {stand_in}.pid\nexec sleep 600\n")
    probe.start()
    with pytest.raises(NoDeviceError, match="does not answer"):
        probe.check()
    tried = Path(f"{stand_in}.pid")
    if tried.exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int(tried.read_text()), 0)


def test_where_no_process_can_be_started_nothing_is_refused(stand_in: Path) -> None:
    """What cannot be found out is no fault of the sound system's."""
    stand_in.unlink()
    probe.check()


def test_a_check_that_no_device_waited_for_ends_with_the_program() -> None:
    """And Python has nothing to warn of."""
    code = "from edgevoice.devices import probe; probe.start()"
    command = [sys.executable, "-W", "always", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == ""
