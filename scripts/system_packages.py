"""System packages: check them, print the command that installs them, or run it.

It is run only where no password is needed.
"""

from __future__ import annotations

import ctypes.util
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

SYSTEMS = ("apt", "dnf", "pacman", "macOS")
COMMANDS = {
    "apt": ("Debian, Ubuntu", "sudo apt-get install"),
    "dnf": ("Fedora", "sudo dnf install"),
    "pacman": ("Arch", "sudo pacman -S"),
    "macOS": ("macOS", "brew install"),
}
VENV = f"python3.{sys.version_info.minor}-venv"

PACKAGES = {
    "venv": ("Python's venv module", VENV, "python3", "python", "python"),
    "compiler": ("a C++ compiler, to build llama-cpp-python", "g++", "gcc-c++", "gcc", "gcc"),
    "portaudio": ("PortAudio, for the microphone and the speaker",
                  "libportaudio2", "portaudio", "portaudio", "portaudio"),
    "pulseaudio": ("PulseAudio, for the tests that speak into a microphone",
                   "pulseaudio pulseaudio-utils libasound2-plugins",
                   "pulseaudio pulseaudio-utils alsa-plugins-pulseaudio",
                   "pulseaudio alsa-plugins", "pulseaudio"),
}  # fmt: skip
"""For each need its purpose, and its packages in the order of SYSTEMS."""


def has_venv() -> bool:
    """Whether virtual environments can be made: Debian packages ensurepip separately."""
    return all(importlib.util.find_spec(name) for name in ("ensurepip", "venv"))


def has_compiler() -> bool:
    """Whether CMake will find a C++ compiler."""
    if sys.platform == "win32":
        # CMake finds Visual Studio without PATH, and reports clearly if it is missing.
        return True
    if sys.platform == "darwin":
        # Without the tools, /usr/bin/c++ exists too, but only opens a dialogue.
        return subprocess.run(["xcode-select", "-p"], capture_output=True).returncode == 0
    named = os.environ.get("CXX", "").split()[:1] or ["c++", "g++", "clang++"]
    return any(shutil.which(name) for name in named)


def has_portaudio() -> bool:
    """Whether PortAudio is installed; on macOS and Windows, sounddevice includes it."""
    return sys.platform in ("darwin", "win32") or bool(ctypes.util.find_library("portaudio"))


def has_pulseaudio() -> bool:
    """Whether PulseAudio and its ALSA plugin are installed; only tests on Linux need them."""
    if sys.platform != "linux":
        return True
    plugin = "alsa-lib/libasound_module_pcm_pulse.so"
    found = [*Path("/usr/lib").glob(f"*/{plugin}"), *Path("/").glob(f"usr/lib*/{plugin}")]
    return bool(found) and all(shutil.which(name) for name in ("pulseaudio", "pactl", "paplay"))


def instructions(need: str) -> str:
    """The purpose of a need, and a line per system with the command that installs it."""
    purpose, *packages = PACKAGES[need]
    lines = [
        f"  {COMMANDS[system][0]:16} {COMMANDS[system][1]} {names}"
        for system, names in zip(SYSTEMS, packages, strict=True)
    ]
    if need == "compiler":
        lines[-1] = f"  {'macOS':16} xcode-select --install"
    return "\n".join([f"not found: {purpose}. To install it:", *lines])


def provide(goal: str, compiling: bool, log: IO[str], say: Callable[[str], None]) -> str:
    """Install what `goal` lacks; returns instructions if a required package is still missing."""
    present = {"venv": has_venv, "portaudio": has_portaudio}
    if compiling:
        present["compiler"] = has_compiler
    if goal == "dev":
        present["pulseaudio"] = has_pulseaudio
    missing = [need for need, is_there in present.items() if not is_there()]
    if missing and apt_install(missing, log, say):
        return ""
    for need in missing:
        if need in ("venv", "compiler"):
            return instructions(need)
        for line in instructions(need).splitlines():
            say(line)
    return ""


def apt_install(needs: list[str], log: IO[str], say: Callable[[str], None]) -> bool:
    """Install `needs` with apt, if no password is needed; False if that is not possible."""
    if sys.platform == "win32" or not shutil.which("apt-get"):
        return False
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]

    def run(*command: str) -> bool:
        log.write(f"\n$ {' '.join(command)}\n")
        log.flush()
        try:
            return not subprocess.call(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        except OSError:
            return False

    if root and not run(*root, "true"):
        return False
    names = [name for need in needs for name in PACKAGES[need][1].split()]
    say("apt-get install " + " ".join(names))
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    # --no-remove: never replace the user's sound server or compiler.
    install = [*apt, "install", "-y", "--no-install-recommends", "--no-remove", *names]
    # The first attempt fails at once if the package lists are missing or outdated.
    return run(*install) or (run(*apt, "update") and run(*install))
