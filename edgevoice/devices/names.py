"""Names of devices for people: what is behind ALSA's "default", and no numbers of cards."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from pathlib import Path

VIRTUAL = frozenset({"default", "sysdefault", "pulse", "pipewire"})
"""Names that PortAudio lists on Linux for "whatever the sound server uses"."""

CARDS = Path("/proc/asound/cards")
PACTL_TIMEOUT = 2.0
"""Seconds that the sound server may take to answer."""


def shown_name(kind: str, name: str) -> str:
    """The name of a device ("input" or "output") for people; `name` is PortAudio's."""
    if name in VIRTUAL:
        return _of_server(kind) or _of_card() or name
    return re.sub(r" \((?:plug)?hw:\d+,\d+\)$", "", name)


def of_default(kind: str, info: str, listing: str) -> str:
    """The description of the default device, from `pactl info` and `pactl list`; or empty."""
    role = "Source" if kind == "input" else "Sink"
    default = re.search(rf"^Default {role}: (.+)$", info, re.MULTILINE)
    names = re.findall(r"^\s*Name: (.+)\n\s*Description: (.+)$", listing, re.MULTILINE)
    return dict(names).get(default[1], "") if default else ""


def _of_server(kind: str) -> str:
    listing = "sources" if kind == "input" else "sinks"
    info = _pactl("info")
    return of_default(kind, info, _pactl("list", listing)) if info else ""


def _pactl(*words: str) -> str:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(
            ["pactl", *words],
            capture_output=True,
            check=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            timeout=PACTL_TIMEOUT,
        ).stdout
    return ""


def _of_card() -> str:
    with contextlib.suppress(OSError):
        if card := re.search(r"^ *\d+ \[.*\]: .* - (.+)$", CARDS.read_text("utf-8"), re.MULTILINE):
            return card[1].strip()
    return ""
