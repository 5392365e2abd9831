"""The machine and the installation that a bench runs on. None: the system does not report it.

Linux reports caches and instructions through /sys and /proc, macOS through sysctl.
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
from typing import Any

import psutil

from edgevoice.bench.machine.sensors import usable, word
from edgevoice.bench.result.result import Machine
from edgevoice.errors import EdgevoiceError
from edgevoice.models.machine import cores, total_memory
from edgevoice.resources import process_status

LIBRARIES = (
    *("llama-cpp-python", "faster-whisper", "ctranslate2", "onnxruntime"),
    *("piper-tts", "numpy", "sounddevice"),
)
# fmt: off
INSTRUCTIONS = {
    "sse4_2": "SSE4.2", "avx": "AVX", "avx2": "AVX2", "fma": "FMA", "f16c": "F16C",
    "avx_vnni": "AVX-VNNI", "avx512f": "AVX-512", "avx512_vnni": "AVX-512 VNNI",
    "avx512_bf16": "AVX-512 BF16", "amx_int8": "AMX int8", "neon": "NEON", "asimd": "NEON",
    "asimdhp": "fp16", "asimddp": "dotprod", "i8mm": "i8mm", "bf16": "bf16", "sve": "SVE",
    "sve2": "SVE2", "hw.optional.avx2_0": "AVX2", "hw.optional.avx512f": "AVX-512",
    "hw.optional.neon": "NEON", "hw.optional.arm.FEAT_FP16": "fp16",
    "hw.optional.arm.FEAT_DotProd": "dotprod", "hw.optional.arm.FEAT_I8MM": "i8mm",
    "hw.optional.arm.FEAT_BF16": "bf16",
}
# fmt: on
"""What speeds up arithmetic on weights, by its name on Linux (x86, ARM) and macOS."""

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def machine(
    load_before: float | None, load_after: float | None, facts: Mapping[str, Any] | None = None
) -> Machine:
    """This machine, with its load before and after the bench; `facts` are those of `facts`."""
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


def facts(root: Path = Path("/")) -> dict[str, Any]:
    """The fields of a result's Machine that take some time to read, except its speeds."""
    return {
        "distribution": distribution(root),
        "caches": caches(root),
        "instructions": instructions(root),
        "governor": governor(root),
        "llama": llama(),
    }


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


def distribution(root: Path = Path("/")) -> str | None:
    """The name of the Linux distribution."""
    lines = (line.partition("=") for line in word(root / "etc/os-release").splitlines())
    names = [value.strip("\"' ") for name, _, value in lines if name == "PRETTY_NAME"]
    return next(filter(None, names), None)


def caches(root: Path = Path("/")) -> dict[str, int] | None:
    """Bytes of one L1 data, L2 and L3 cache of the first usable core."""
    folder = root / "sys/devices/system/cpu"
    found = {name: size for cpu in usable(folder)[:1] for name, size, _ in _caches(folder, cpu)}
    for name in () if found else ("L1d", "L2", "L3"):
        key = {"L1d": "l1dcachesize"}.get(name, f"{name.lower()}cachesize")
        size = sysctl(f"hw.perflevel0.{key}") or sysctl(f"hw.{key}")
        if size.isdigit() and int(size):
            found[name] = int(size)
    return found or None


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
        one = caches(root)
        return one[max(one)] if one else None
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


def instructions(root: Path = Path("/")) -> tuple[str, ...] | None:
    """The names in INSTRUCTIONS that the processor has."""
    lines = (line.partition(":") for line in word(root / "proc/cpuinfo").splitlines())
    told = [value.split() for name, _, value in lines if name.strip() in ("flags", "Features")]
    flags = {flag for each in told for flag in each}
    flags = flags or {name for name in INSTRUCTIONS if "." in name and sysctl(name) == "1"}
    found = dict.fromkeys(name for flag, name in INSTRUCTIONS.items() if flag in flags)
    return tuple(found) if flags else None


def governor(root: Path = Path("/")) -> str | None:
    """The CPU frequency governor; several where cores differ."""
    policies = sorted(root.glob("sys/devices/system/cpu/cpufreq/policy*/scaling_governor"))
    return ", ".join(dict.fromkeys(filter(None, map(word, policies)))) or None


def llama() -> str | None:
    """The processor features that llama.cpp was built with, in its own words."""
    from edgevoice.engines.facts import build_flags

    try:
        return build_flags() or None
    except (ImportError, OSError, RuntimeError):
        return None


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
