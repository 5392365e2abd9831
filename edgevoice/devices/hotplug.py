"""Detect in microseconds that sound devices were added or removed.

PortAudio does not report this, and listing devices closes every open stream. Linux shows each card
in /dev/snd and a sound server's start by its socket. CoreAudio and Windows' multimedia library
list the devices and the defaults.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CARDS_FOLDER = Path("/dev/snd")


@dataclass(frozen=True, slots=True)
class Hotplug:
    """The system's sound devices at one moment, to be compared with another moment.

    `devices` are identifiers; a device that is plugged in again gets a new one. `defaults` are the
    default devices, on systems where streams do not follow them by themselves.
    """

    devices: frozenset[str] = frozenset()
    defaults: tuple[int, ...] = ()


def hotplug_state() -> Hotplug:
    """The present devices; empty where the system cannot be asked."""
    return _reader()()


@functools.cache
def _reader() -> Callable[[], Hotplug]:
    if sys.platform.startswith("linux"):
        return _linux
    with suppress(OSError, AttributeError):
        if sys.platform == "darwin":
            return _core_audio()
        if sys.platform == "win32":
            return _win_mm()
    return Hotplug


def _linux() -> Hotplug:
    paths = [*_controls(), *_sockets()]
    found = []
    for path in paths:
        with suppress(OSError):
            status = os.stat(path)
            found.append(f"{path} {status.st_ino} {status.st_ctime_ns}")
    return Hotplug(frozenset(found))


def _controls() -> Iterator[str]:
    with suppress(OSError), os.scandir(CARDS_FOLDER) as entries:
        yield from (entry.path for entry in entries if entry.name.startswith("controlC"))


def _sockets() -> Iterator[str]:
    """Paths of the sound servers' sockets."""
    yield os.environ.get("PULSE_SERVER", "").rpartition("unix:")[2]
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    yield os.environ.get("PULSE_RUNTIME_PATH", f"{runtime}/pulse") + "/native"
    yield f"{runtime}/pipewire-0"


class _Address(ctypes.Structure):
    """CoreAudio's AudioObjectPropertyAddress."""

    _fields_ = (
        ("selector", ctypes.c_uint32),
        ("scope", ctypes.c_uint32),
        ("element", ctypes.c_uint32),
    )


def _core_audio() -> Callable[[], Hotplug]:
    library: Any = ctypes.CDLL("/System/Library/Frameworks/CoreAudio.framework/CoreAudio")

    def ask(selector: bytes) -> tuple[int, ...]:
        address = _Address(int.from_bytes(selector, "big"), int.from_bytes(b"glob", "big"), 0)
        size = ctypes.c_uint32()
        address_pointer = ctypes.byref(address)
        system_object = 1
        if library.AudioObjectGetPropertyDataSize(
            system_object, address_pointer, 0, None, ctypes.byref(size)
        ):
            return ()
        data = (ctypes.c_uint32 * (size.value // 4))()
        if library.AudioObjectGetPropertyData(
            system_object, address_pointer, 0, None, ctypes.byref(size), data
        ):
            return ()
        return tuple(data)

    return lambda: Hotplug(frozenset(map(str, ask(b"dev#"))), (*ask(b"dIn "), *ask(b"dOut")))


def _win_mm() -> Callable[[], Hotplug]:
    library: Any = ctypes.WinDLL("winmm")  # type: ignore[attr-defined,unused-ignore]
    mapper, preferred = ctypes.c_void_p(-1), 0x2015  # WAVE_MAPPER, DRVM_MAPPER_PREFERRED_GET

    def default(message: Any) -> int:
        number, flags = ctypes.c_uint32(), ctypes.c_uint32()
        message(mapper, preferred, ctypes.byref(number), ctypes.byref(flags))
        return number.value

    def ask() -> Hotplug:
        inputs, outputs = library.waveInGetNumDevs(), library.waveOutGetNumDevs()
        names = [f"in {n}" for n in range(inputs)] + [f"out {n}" for n in range(outputs)]
        defaults = default(library.waveInMessage), default(library.waveOutMessage)
        return Hotplug(frozenset(names), defaults)

    return ask


def seconds_suspended() -> float:
    """Seconds since boot that the machine was suspended and the monotonic clock left out.

    0 where the clock counts them, or where the system does not say.
    """
    with suppress(AttributeError, OSError):
        if sys.platform.startswith("linux"):
            return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(
                time.CLOCK_MONOTONIC
            )
        if sys.platform == "darwin":
            return time.clock_gettime(time.CLOCK_MONOTONIC) - time.clock_gettime(
                time.CLOCK_UPTIME_RAW
            )
    return 0.0
