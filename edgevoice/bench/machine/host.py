"""What a bench runs on: the machine, and the libraries whose speed is measured with it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import psutil

from edgevoice.bench.result.result import Machine
from edgevoice.models.machine import cores, total_memory
from edgevoice.resources import process_status

LIBRARIES = (
    "llama-cpp-python",
    "faster-whisper",
    "ctranslate2",
    "onnxruntime",
    "piper-tts",
    "numpy",
    "sounddevice",
)


def machine(
    load_before: float | None, load_after: float | None, facts: Mapping[str, Any] | None = None
) -> Machine:
    """This machine, with its load before and after the bench, and what else is known of it."""
    return Machine(
        cpu=cpu_name(),
        cores=psutil.cpu_count(logical=False) or 0,
        logical_cores=psutil.cpu_count() or 0,
        usable_cores=cores(),
        memory=total_memory(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        load_before=load_before,
        load_after=load_after,
        **(facts or {}),
    )


def cpu_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """What the processor calls itself; its architecture where it does not."""
    try:
        lines = cpuinfo.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    if name := _named(lines):
        return name
    if sys.platform == "darwin":
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
        if told:
            return told
    return platform.processor() or platform.machine()


def _named(lines: Iterable[str]) -> str:
    # x86 says "model name", a Raspberry Pi "Model", other boards "Hardware".
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip(), value.strip())
    return next((fields[k] for k in ("model name", "Model", "Hardware") if fields.get(k)), "")


def load() -> float | None:
    """Load average over the last minute; None where the system keeps none."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def peak_rss() -> int:
    """The most memory this process ever took, in bytes."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    # On Linux, getrusage counts the memory of the process that started this one, too.
    if own := process_status("VmHWM"):
        return own
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most if sys.platform == "darwin" else most * 1024)


def libraries() -> dict[str, str]:
    """The version of each library that does the work, where it is installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
