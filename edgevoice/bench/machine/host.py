"""The machine and the installation that a bench runs on. None: the system does not report it.

Linux reports caches through /sys, macOS through sysctl.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

from edgevoice.bench.machine.sensors import usable, word
from edgevoice.bench.result.device_record import Speeds
from edgevoice.bench.result.result import Machine
from edgevoice.errors import EdgevoiceError
from edgevoice.models.machine import cores, total_memory
from edgevoice.resources import process_status

LIBRARIES = (
    *("llama-cpp-python", "faster-whisper", "ctranslate2", "onnxruntime"),
    *("piper-tts", "numpy", "sounddevice"),
)

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def machine(
    load_before: float | None, load_after: float | None, speeds: Speeds | None = None
) -> Machine:
    """This machine, with its load before and after the bench, and its `speeds`."""
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
        governor=governor(),
        speeds=speeds,
    )


def cpu_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The name of the processor; its architecture where it has none."""
    fields: dict[str, str] = {}
    for line in word(cpuinfo).splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    # x86 has "model name", a Raspberry Pi "Model", other boards "Hardware".
    named = [fields[key] for key in ("model name", "Model", "Hardware") if fields.get(key)]
    found = named[0] if named else sysctl("machdep.cpu.brand_string")
    return found or platform.processor() or platform.machine()


def load() -> float | None:
    """Load average over the last minute; None where the system keeps none."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def peak_rss() -> int:
    """The highest memory of this process, in bytes."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    # On Linux, getrusage also counts the memory of the process that started this one.
    if own := process_status("VmHWM"):
        return own
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most if sys.platform == "darwin" else most * 1024)


def libraries() -> dict[str, str]:
    """The version of each library that does the work, where it is installed."""
    found = {}
    for name in LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def last_level(root: Path = Path("/")) -> int | None:
    """Bytes of the last-level caches of all usable cores together."""
    folder = root / "sys/devices/system/cpu"
    # Cores that share a cache count it once.
    found = {
        (name, shared or str(cpu)): size
        for cpu in usable(folder)
        for name, size, shared in _caches(folder, cpu)
    }
    if not found:
        names = ("perflevel0.l3cachesize", "l3cachesize", "perflevel0.l2cachesize", "l2cachesize")
        sizes = (sysctl(f"hw.{name}") for name in names)
        return next((int(size) for size in sizes if size.isdigit() and int(size)), None)
    last = max(name for name, _ in found)
    return sum(size for (name, _), size in found.items() if name == last)


def _caches(folder: Path, cpu: int) -> Iterable[tuple[str, int, str]]:
    """Name, bytes and sharing cores of each cache of a core that holds data."""
    for index in sorted(folder.glob(f"cpu{cpu}/cache/index*")):
        level, kind, size = (word(index / name) for name in ("level", "type", "size"))
        digits = size.rstrip("KMG")
        if level.isdigit() and kind in ("Data", "Unified") and digits.isdigit() and int(digits):
            name = f"L{level}" + ("d" if kind == "Data" and level == "1" else "")
            count = int(digits) * _UNITS.get(size[len(digits) :], 1)
            yield name, count, word(index / "shared_cpu_list")


def governor(root: Path = Path("/")) -> str | None:
    """The CPU frequency governor; several where cores differ."""
    policies = sorted(root.glob("sys/devices/system/cpu/cpufreq/policy*/scaling_governor"))
    return ", ".join(dict.fromkeys(filter(None, map(word, policies)))) or None


def hashes(names: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    """The catalog's sha256 of each file of these models.

    The store verified them: no model is loaded whose files have other hashes.
    """
    from edgevoice.catalog import Catalog

    try:
        catalog = Catalog.load()
    except EdgevoiceError:
        return {}
    known = [catalog.get(name) for name in names if name in catalog]
    return {entry.name: {file.name: file.sha256 for file in entry.files} for entry in known}


def sysctl(name: str) -> str:
    """The value of a name on macOS; empty elsewhere, and where there is none."""
    if sys.platform != "darwin":
        return ""
    command = ["sysctl", "-n", name]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
