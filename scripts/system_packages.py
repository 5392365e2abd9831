"""The few things that come from the operating system: whether they are there, the command that
installs them on each system, and running it where that takes no password.
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
"""Each need, with its purpose and its packages in the order of SYSTEMS."""


def has_venv() -> bool:
    """Debian leaves ensurepip, which venv calls, to a package of its own."""
    return all(importlib.util.find_spec(name) for name in ("ensurepip", "venv"))


def has_compiler() -> bool:
    """Whether CMake will find a C++ compiler."""
    if sys.platform == "win32":
        # CMake finds Visual Studio by itself, on no PATH; without it, its own message is clear.
        return True
    if sys.platform == "darwin":
        # /usr/bin/c++ exists without the tools too, and then only opens a dialogue.
        return subprocess.run(["xcode-select", "-p"], capture_output=True).returncode == 0
    named = os.environ.get("CXX", "").split()[:1] or ["c++", "g++", "clang++"]
    return any(shutil.which(name) for name in named)


def has_portaudio() -> bool:
    """On macOS and Windows the sounddevice package brings the library along."""
    return sys.platform in ("darwin", "win32") or bool(ctypes.util.find_library("portaudio"))


def has_pulseaudio() -> bool:
    """PulseAudio with its ALSA plugin, by which PortAudio reaches it; the tests need Linux."""
    if sys.platform != "linux":
        return True
    plugin = "alsa-lib/libasound_module_pcm_pulse.so"
    found = [*Path("/usr/lib").glob(f"*/{plugin}"), *Path("/").glob(f"usr/lib*/{plugin}")]
    return bool(found) and all(shutil.which(name) for name in ("pulseaudio", "pactl", "paplay"))


def instructions(need: str) -> str:
    """What the need is for, and one line a system with the command to type there."""
    purpose, *packages = PACKAGES[need]
    lines = [
        f"  {COMMANDS[system][0]:16} {COMMANDS[system][1]} {names}"
        for system, names in zip(SYSTEMS, packages, strict=True)
    ]
    if need == "compiler":
        lines[-1] = f"  {'macOS':16} xcode-select --install"
    return "\n".join([f"not found: {purpose}. To install it:", *lines])


def provide(goal: str, compiling: bool, log: IO[str], say: Callable[[str], None]) -> str:
    """Install what `goal` lacks; the instructions for something vital that is still missing."""
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
    """Install `needs` with apt where that takes no password; False where it is impossible."""
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
    # --no-remove: no sound server and no compiler of yours goes away for ours.
    install = [*apt, "install", "-y", "--no-install-recommends", "--no-remove", *names]
    # Lists that are missing or stale make the first try fail at once.
    return run(*install) or (run(*apt, "update") and run(*install))
