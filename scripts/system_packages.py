"""The few things that come from the operating system: how to see whether they are there, the
command that installs them on each system, and running it where nobody has to type a password.
"""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class SystemPackage:
    """Something edgevoice needs from the system; the commands are what a person types."""

    what: str
    present: Callable[[], bool]
    apt: tuple[str, ...]
    commands: dict[str, str]

    def instructions(self) -> str:
        """One line a system, with the command to type there."""
        return "\n".join(f"  {system:16} {command}" for system, command in self.commands.items())


def _commands(apt: str, dnf: str, pacman: str, mac: str) -> dict[str, str]:
    return {
        "Debian, Ubuntu": f"sudo apt-get install {apt}",
        "Fedora": f"sudo dnf install {dnf}",
        "Arch": f"sudo pacman -S {pacman}",
        "macOS": mac,
    }


def _has_portaudio() -> bool:
    # On macOS and Windows the sounddevice package brings the library along.
    return sys.platform in ("darwin", "win32") or bool(ctypes.util.find_library("portaudio"))


def _has_compiler() -> bool:
    if sys.platform == "win32":
        # CMake finds Visual Studio by itself, on no PATH; without it, its own message is clear.
        return True
    if sys.platform == "darwin":
        # /usr/bin/c++ exists without the tools too, and then only opens a dialogue.
        return subprocess.run(["xcode-select", "-p"], capture_output=True).returncode == 0
    if named := os.environ.get("CXX"):
        return shutil.which(named.split()[0]) is not None
    return any(shutil.which(name) for name in ("c++", "g++", "clang++"))


def _has_venv() -> bool:
    try:
        import ensurepip
        import venv
    except ImportError:
        return False
    return bool(ensurepip and venv)


def _has_null_sinks() -> bool:
    plugin = any(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")) or any(
        Path(folder, "alsa-lib/libasound_module_pcm_pulse.so").exists()
        for folder in ("/usr/lib", "/usr/lib64")
    )
    return plugin and all(shutil.which(name) for name in ("pulseaudio", "pactl", "paplay"))


PORTAUDIO = SystemPackage(
    "PortAudio, for the microphone and the speaker",
    _has_portaudio,
    ("libportaudio2",),
    _commands("libportaudio2", "portaudio", "portaudio", "brew install portaudio"),
)
COMPILER = SystemPackage(
    "a C++ compiler, to build llama-cpp-python",
    _has_compiler,
    ("g++",),
    _commands("g++", "gcc-c++", "gcc", "xcode-select --install"),
)
VENV = SystemPackage(
    "Python's venv module",
    _has_venv,
    (f"python3.{sys.version_info.minor}-venv",),
    _commands(f"python3.{sys.version_info.minor}-venv", "python3", "python", "brew install python"),
)
NULL_SINKS = SystemPackage(
    "PulseAudio, for the tests that speak into a microphone",
    lambda: sys.platform != "linux" or _has_null_sinks(),
    ("pulseaudio", "pulseaudio-utils", "libasound2-plugins"),
    _commands(
        "pulseaudio pulseaudio-utils libasound2-plugins",
        "pulseaudio pulseaudio-utils alsa-plugins-pulseaudio",
        "pulseaudio alsa-plugins",
        "(these tests run on Linux only)",
    ),
)


def _as_root() -> list[str] | None:
    """What to put before a command to run it as root without a password; None: impossible."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        may = subprocess.run(["sudo", "-n", "true"], capture_output=True, stdin=subprocess.DEVNULL)
        if may.returncode == 0:
            return ["sudo", "-n"]
    return None


def install(packages: list[SystemPackage], log: IO[str], say: Callable[[str], None]) -> bool:
    """Install `packages` with apt where that needs no password; false where it cannot be done."""
    if sys.platform == "win32" or not shutil.which("apt-get"):
        return False
    root = _as_root()
    if root is None:
        return False
    names = [name for package in packages for name in package.apt]
    say("apt-get install " + " ".join(names))
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    # --no-remove: nobody's sound server or compiler goes away for ours.
    wanted = [*apt, "install", "-y", "--no-install-recommends", "--no-remove", *names]

    def run(command: list[str]) -> bool:
        log.write(f"\n$ {' '.join(command)}\n")
        log.flush()
        done = subprocess.run(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        return done.returncode == 0

    # Lists that are missing or stale make the first try fail at once.
    return run(wanted) or (run([*apt, "update"]) and run(wanted))
