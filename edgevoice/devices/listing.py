"""The sound devices there are, as PortAudio lists them, and which one is meant."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import logging
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import msgspec

from edgevoice.devices import probe
from edgevoice.devices.hotplug import Hotplug, signs
from edgevoice.errors import DeviceError, NoDeviceError

sd: Any = None
"""PortAudio's binding, once it has been asked for: to load it asks the sound system."""

PORTAUDIO_REMEDY = (
    "install PortAudio: apt install libportaudio2 (Debian/Ubuntu), dnf install portaudio (Fedora), "
    "pacman -S portaudio (Arch), brew install portaudio (macOS)"
)


_log = logging.getLogger(__name__)

LISTING = 10.0
"""Seconds that another process may take to list the devices."""

_ALSA_HANDLER = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)


# ALSA writes its complaints straight to stderr, over whatever screen is shown there. What matters
# among them comes back as error codes and stream flags anyway.
_say_nothing = _ALSA_HANDLER(lambda file, line, function, error, message: None)


@functools.cache
def silence() -> None:
    """Keep the libraries of ALSA and PortAudio from writing to stderr, on Linux, except for those
    who ask for such messages with --debug.

    ALSA can be asked to. PortAudio cannot, and prints every call that fails; but it does so through
    C's `stderr`, which is a variable: from here on that is nowhere, for what is written in C.
    """
    if not sys.platform.startswith("linux") or _log.isEnabledFor(logging.DEBUG):
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_say_nothing)
    with contextlib.suppress(OSError, AttributeError, ValueError):
        c = ctypes.CDLL(None)
        c.fopen.restype = ctypes.c_void_p
        if nowhere := c.fopen(os.devnull.encode(), b"w"):
            ctypes.c_void_p.in_dll(c, "stderr").value = nowhere


_listed_when: list[Hotplug] = []
"""What was to be seen when PortAudio listed the devices last."""


def note_listing() -> None:
    """Note that devices have been listed just now."""
    _listed_when[:] = [signs()]


def outdated() -> bool:
    """Whether devices have come or gone since they were listed."""
    return bool(_listed_when) and signs() != _listed_when[0]


@dataclass(frozen=True, slots=True)
class Device:
    """A sound device as PortAudio lists it; `rate` is its default in Hz."""

    index: int
    name: str
    api: str
    inputs: int
    outputs: int
    rate: float
    default_input: bool
    default_output: bool


def library() -> Any:
    """PortAudio's binding. Raises NoDeviceError where the library is missing or would crash."""
    global sd
    if sd is None:
        probe.check()
        try:
            import sounddevice
        except OSError as error:  # The Python package is there, the PortAudio library is not.
            raise NoDeviceError(
                "PortAudio is not installed", where=str(error), remedy=PORTAUDIO_REMEDY
            ) from None
        sd = sounddevice
    silence()
    if not _listed_when:
        note_listing()
    return sd


def listed() -> list[Device]:
    """Every device there is. Raises DeviceError when PortAudio is missing or fails."""
    portaudio = library()
    try:
        apis = portaudio.query_hostapis()
        default_input, default_output = portaudio.default.device
        return [
            Device(
                index=d["index"],
                name=d["name"],
                api=apis[d["hostapi"]]["name"],
                inputs=d["max_input_channels"],
                outputs=d["max_output_channels"],
                rate=d["default_samplerate"],
                default_input=d["index"] == default_input,
                default_output=d["index"] == default_output,
            )
            for d in portaudio.query_devices()
        ]
    except portaudio.PortAudioError as error:
        raise DeviceError(f"PortAudio failed: {error}", remedy="edgevoice doctor") from None


def listed_now() -> list[Device]:
    """Every device there is by now, also while some are open: then another process lists them.

    Raises DeviceError like `listed`.
    """
    if outdated():
        command = [sys.executable, "-m", "edgevoice.devices.listing"]
        with contextlib.suppress(OSError, subprocess.SubprocessError, msgspec.MsgspecError):
            told = subprocess.run(command, capture_output=True, timeout=LISTING, check=True).stdout
            return msgspec.json.decode(told, type=list[Device])
    return listed()


def find(kind: str, wanted: str) -> Device:
    """The device of `kind` ("input" or "output") that `wanted` names: a number, a name or part of
    one, or the default where it is empty. Raises DeviceError when none is called that, and
    NoDeviceError when there is none at all."""
    word = "microphone" if kind == "input" else "speaker"
    devices = [d for d in listed() if (d.inputs if kind == "input" else d.outputs) > 0]
    if not devices:
        raise NoDeviceError(
            f"no {word} was found",
            where=f"audio.{kind} is {wanted}" if wanted else "",
            remedy=f"plug one in and see `edgevoice devices`; without a {word}, "
            "`edgevoice demo` shows a conversation",
        )
    if not wanted:
        default = [d for d in devices if (d.default_input if kind == "input" else d.default_output)]
        return (default or devices)[0]
    if wanted.isdigit():
        chosen = [d for d in devices if d.index == int(wanted)]
    else:
        exact = [d for d in devices if d.name.lower() == wanted.lower()]
        chosen = exact or [d for d in devices if wanted.lower() in d.name.lower()]
    if not chosen:
        raise DeviceError(
            f"no {word} is called {wanted!r}",
            where=f"audio.{kind}",
            remedy=f"choose one of: {', '.join(f'{d.index} {d.name}' for d in devices)}",
        )
    return chosen[0]


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(listed()))
