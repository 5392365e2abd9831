"""Whether the sound system lets itself be asked at all, which another process finds out.

ALSA and PortAudio end the whole process where a configuration cannot be used. So a small process
tries first; `start` lets it do so beside other work.
"""

from __future__ import annotations

import os
import subprocess
import sys

from edgevoice.errors import NoDeviceError

PATIENCE = 10.0
"""Seconds that the sound system may take."""

_TRY = """
import ctypes
try:
    portaudio = ctypes.CDLL("libportaudio.so.2")
except OSError:
    raise SystemExit
portaudio.Pa_Initialize()
portaudio.Pa_Terminate()
"""

_begun: list[subprocess.Popen[bytes]] = []


def start() -> None:
    """Begin to find out, if that is not under way. Does nothing where no such crash is known."""
    if not sys.platform.startswith("linux") or _begun:
        return
    try:
        # Without site packages and variables of Python: it takes as long as PortAudio does.
        _begun.append(
            subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _TRY],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
    except OSError:
        pass  # no process can be started: what would happen is not known


def check() -> None:
    """Wait until it is known. Raises NoDeviceError where the sound system crashes or hangs."""
    start()
    if not _begun:
        return
    tried = _begun.pop()
    try:
        crashed = tried.wait(PATIENCE) < 0
        what = "the sound system crashes when it is asked for devices"
    except subprocess.TimeoutExpired:
        tried.kill()
        tried.wait()
        crashed, what = True, f"the sound system does not answer within {PATIENCE:.0f} s"
    if crashed:
        raise NoDeviceError(what, where=_where(), remedy=_REMEDY)


_REMEDY = "mend the ALSA configuration (~/.asoundrc, /etc/asound.conf, ALSA_CONFIG_PATH)"


def _where() -> str:
    path = os.environ.get("ALSA_CONFIG_PATH", "")
    return f"ALSA_CONFIG_PATH={path}" if path else ""
