"""What C libraries write to stderr by themselves."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only done on Linux")

WRITES = """
import ctypes, logging
logging.getLogger("edgevoice").setLevel(logging.{level})
from edgevoice.devices.listing import silence
silence()
c = ctypes.CDLL(None)
c.fputs(b"out of tune", ctypes.c_void_p.in_dll(c, "stderr"))
c.fflush(None)
"""


@pytest.mark.parametrize("level", ["WARNING", "DEBUG"])
def test_it_is_kept_off_the_screen_but_not_from_debugging(level: str) -> None:
    """With --debug it says what the sound system says; otherwise no screen is written over."""
    done = subprocess.run(
        [sys.executable, "-c", WRITES.format(level=level)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert ("out of tune" in done.stderr) == (level == "DEBUG")
