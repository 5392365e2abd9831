"""List the sound devices through PortAudio, and find a device by name or number."""

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
from edgevoice.devices.hotplug import Hotplug, hotplug_state
from edgevoice.errors import DeviceError, NoDeviceError

sd: Any = None
"""PortAudio's binding; loaded at first use, because loading it opens the sound system."""

PORTAUDIO_REMEDY = (
    "install PortAudio: apt install libportaudio2 (Debian/Ubuntu), dnf install portaudio (Fedora), "
    "pacman -S portaudio (Arch), brew install portaudio (macOS)"
)


_log = logging.getLogger(__name__)

LISTING_TIMEOUT = 10.0
"""Seconds that another process may take to list the devices."""

_ALSA_HANDLER = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)


# ALSA writes messages straight to stderr, over the screen. Real errors also come back as error
# codes and stream flags.
_ignore_message = _ALSA_HANDLER(lambda file, line, function, error, message: None)


@functools.cache
def silence() -> None:
    """Keep ALSA and PortAudio from writing to stderr on Linux, except with --debug.

    ALSA has a handler for its messages. PortAudio has none and prints every failed call, so C's
    variable `stderr` is pointed at the null device.
    """
    if not sys.platform.startswith("linux") or _log.isEnabledFor(logging.DEBUG):
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_ignore_message)
    with contextlib.suppress(OSError, AttributeError, ValueError):
        c = ctypes.CDLL(None)
        c.fopen.restype = ctypes.c_void_p
        if nowhere := c.fopen(os.devnull.encode(), b"w"):
            ctypes.c_void_p.in_dll(c, "stderr").value = nowhere


_state_when_listed: list[Hotplug] = []
"""The hotplug state when PortAudio last listed the devices; empty before that."""


def note_listing() -> None:
    """Note that devices were listed just now."""
    _state_when_listed[:] = [hotplug_state()]


def outdated() -> bool:
    """Whether devices were added or removed since they were listed."""
    return bool(_state_when_listed) and hotplug_state() != _state_when_listed[0]


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
        except OSError as error:  # the Python package exists, the PortAudio library does not
            raise NoDeviceError(
                "PortAudio is not installed", where=str(error), remedy=PORTAUDIO_REMEDY
            ) from None
        sd = sounddevice
    silence()
    if not _state_when_listed:
        note_listing()
    return sd


def listed() -> list[Device]:
    """All devices as of the last listing. Raises DeviceError if PortAudio is missing or fails."""
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
    """All present devices; another process lists them if a device is open here.

    Raises DeviceError like `listed`.
    """
    if outdated():
        command = [sys.executable, "-m", "edgevoice.devices.listing"]
        with contextlib.suppress(OSError, subprocess.SubprocessError, msgspec.MsgspecError):
            output = subprocess.run(
                command, capture_output=True, timeout=LISTING_TIMEOUT, check=True
            ).stdout
            return msgspec.json.decode(output, type=list[Device])
    return listed()


def find(kind: str, name: str) -> Device:
    """The device of `kind` ("input" or "output") with this `name`.

    `name` is a number, a name, part of a name, or "" for the default device. Raises DeviceError if
    no device has that name, and NoDeviceError if there is no device of that kind.
    """
    label = "microphone" if kind == "input" else "speaker"
    devices = [d for d in listed() if (d.inputs if kind == "input" else d.outputs) > 0]
    if not devices:
        raise NoDeviceError(
            f"no {label} was found",
            where=f"audio.{kind} is {name}" if name else "",
            remedy=f"plug one in and see `edgevoice devices`; without a {label}, "
            "`edgevoice demo` shows a conversation",
        )
    if not name:
        default = [d for d in devices if (d.default_input if kind == "input" else d.default_output)]
        return (default or devices)[0]
    if name.isdigit():
        found = [d for d in devices if d.index == int(name)]
    else:
        exact = [d for d in devices if d.name.lower() == name.lower()]
        found = exact or [d for d in devices if name.lower() in d.name.lower()]
    if not found:
        raise DeviceError(
            f"no {label} is called {name!r}",
            where=f"audio.{kind}",
            remedy=f"choose one of: {', '.join(f'{d.index} {d.name}' for d in devices)}",
        )
    return found[0]


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(listed()))
