"""Check in another process that the sound system can be opened.

ALSA and PortAudio end the whole process if a configuration is unusable. So a small process opens
them first; `start` runs it in parallel with other work.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys

from edgevoice.errors import NoDeviceError

PROBE_TIMEOUT = 10.0
"""Seconds that the sound system may take to open."""

_PROBE_CODE = """
import ctypes
try:
    portaudio = ctypes.CDLL("libportaudio.so.2")
except OSError:
    raise SystemExit
portaudio.Pa_Initialize()
portaudio.Pa_Terminate()
"""

_running_probes: list[subprocess.Popen[bytes]] = []


@atexit.register
def _stop() -> None:
    """End a check that no device waited for."""
    for process in _running_probes:
        process.kill()
        process.wait()


def start() -> None:
    """Start the check, unless it runs already. Does nothing where no such crash is known."""
    if not sys.platform.startswith("linux") or _running_probes:
        return
    try:
        # Without site packages and Python's variables, most of its time is PortAudio's own.
        _running_probes.append(
            subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _PROBE_CODE],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
    except OSError:
        pass  # without a process there is no check


def check() -> None:
    """Wait for the check. Raises NoDeviceError if the sound system crashes or hangs."""
    start()
    if not _running_probes:
        return
    probe_process = _running_probes.pop()
    try:
        crashed = probe_process.wait(PROBE_TIMEOUT) < 0
        message = "the sound system crashes when it lists devices"
    except subprocess.TimeoutExpired:
        probe_process.kill()
        probe_process.wait()
        crashed, message = True, f"the sound system does not answer within {PROBE_TIMEOUT:.0f} s"
    if crashed:
        raise NoDeviceError(message, where=_where(), remedy=_REMEDY)


_REMEDY = "correct the ALSA configuration (~/.asoundrc, /etc/asound.conf, ALSA_CONFIG_PATH)"


def _where() -> str:
    path = os.environ.get("ALSA_CONFIG_PATH", "")
    return f"ALSA_CONFIG_PATH={path}" if path else ""
