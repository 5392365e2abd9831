"""What tells one machine and one installation from another: caches, instructions, builds, hashes.

What the platform does not tell is None. Linux tells through /sys and /proc, macOS through sysctl.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from edgevoice.bench.machine.sensors import usable, word
from edgevoice.errors import EdgevoiceError

INSTRUCTIONS = {
    "sse4_2": "SSE4.2",
    "avx": "AVX",
    "avx2": "AVX2",
    "fma": "FMA",
    "f16c": "F16C",
    "avx_vnni": "AVX-VNNI",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx512_bf16": "AVX-512 BF16",
    "amx_int8": "AMX int8",
    "neon": "NEON",
    "asimd": "NEON",
    "asimdhp": "fp16",
    "asimddp": "dotprod",
    "i8mm": "i8mm",
    "bf16": "bf16",
    "sve": "SVE",
    "sve2": "SVE2",
    "hw.optional.avx2_0": "AVX2",
    "hw.optional.avx512f": "AVX-512",
    "hw.optional.neon": "NEON",
    "hw.optional.arm.FEAT_FP16": "fp16",
    "hw.optional.arm.FEAT_DotProd": "dotprod",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
    "hw.optional.arm.FEAT_BF16": "bf16",
}
"""What makes arithmetic on weights faster, by the names that Linux (x86, ARM) and macOS use."""

_SYSCTL_CACHES = {
    "L1d": ("hw.perflevel0.l1dcachesize", "hw.l1dcachesize"),
    "L2": ("hw.perflevel0.l2cachesize", "hw.l2cachesize"),
    "L3": ("hw.perflevel0.l3cachesize", "hw.l3cachesize"),
}
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}

Asked = Callable[[str], str]
"""Gives what sysctl says of a name; empty where there is none."""


def facts(root: Path = Path("/"), asked: Asked | None = None) -> dict[str, Any]:
    """The fields of a result's Machine that do not change while it runs, but for its speeds."""
    return {
        "distribution": distribution(root),
        "caches": caches(root, asked),
        "instructions": instructions(root, asked),
        "governor": governor(root),
        "llama": llama(),
    }


def distribution(root: Path = Path("/")) -> str | None:
    """What the Linux distribution calls itself."""
    for line in word(root / "etc/os-release").splitlines():
        name, _, value = line.partition("=")
        if name == "PRETTY_NAME":
            return value.strip("\"' ") or None
    return None


def caches(root: Path = Path("/"), asked: Asked | None = None) -> dict[str, int] | None:
    """Bytes of one L1 data, L2 and L3 cache, as the first core that may be used sees them."""
    folder = root / "sys/devices/system/cpu"
    found: dict[str, int] = {}
    for cpu in usable(folder)[:1]:
        found = {name: size for name, size, _ in _caches_of(folder / f"cpu{cpu}")}
    if not found:
        ask = asked or _sysctl
        for name, keys in _SYSCTL_CACHES.items():
            sizes = [int(told) for key in keys if (told := ask(key)).isdigit() and int(told) > 0]
            if sizes:
                found[name] = sizes[0]
    return found or None


def last_level(root: Path = Path("/"), asked: Asked | None = None) -> int | None:
    """Bytes of the last caches before memory, of all cores that may be used together."""
    folder = root / "sys/devices/system/cpu"
    seen: dict[tuple[str, str], int] = {}
    for cpu in usable(folder):
        for name, size, shared in _caches_of(folder / f"cpu{cpu}"):
            seen[name, shared or str(cpu)] = size
    if not seen:
        told = caches(root, asked)
        return told[max(told)] if told else None
    last = max(name for name, _ in seen)
    return sum(size for (name, _), size in seen.items() if name == last)


def _caches_of(cpu: Path) -> Iterable[tuple[str, int, str]]:
    """Name, bytes and which cores share it, of each cache that holds data."""
    for index in sorted(cpu.glob("cache/index*")):
        level, kind, size = (word(index / name) for name in ("level", "type", "size"))
        if not level.isdigit() or kind not in ("Data", "Unified"):
            continue
        count = _bytes(size)
        if count:
            name = f"L{level}" + ("d" if kind == "Data" and level == "1" else "")
            yield name, count, word(index / "shared_cpu_list")


def _bytes(text: str) -> int:
    """`32K` as a number; 0 for what is none."""
    digits = text.rstrip("KMG")
    if not digits.isdigit():
        return 0
    return int(digits) * _UNITS.get(text[len(digits) :], 1)


def instructions(root: Path = Path("/"), asked: Asked | None = None) -> tuple[str, ...] | None:
    """Those of INSTRUCTIONS that the processor has."""
    flags: set[str] = set()
    for line in word(root / "proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            flags |= set(value.split())
    if not flags:
        ask = asked or _sysctl
        flags = {name for name in INSTRUCTIONS if "." in name and ask(name) == "1"}
    found = dict.fromkeys(said for name, said in INSTRUCTIONS.items() if name in flags)
    return tuple(found) if flags else None


def governor(root: Path = Path("/")) -> str | None:
    """By which rule the cores' clock is chosen; several where cores differ."""
    policies = sorted(root.glob("sys/devices/system/cpu/cpufreq/policy*/scaling_governor"))
    found = dict.fromkeys(said for path in policies if (said := word(path)))
    return ", ".join(found) or None


def llama() -> str | None:
    """With which of the processor's abilities llama.cpp was built, in its own words."""
    from edgevoice.engines.facts import build_flags

    try:
        return build_flags() or None
    except (ImportError, OSError, RuntimeError):
        return None


def hashes(names: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    """The sha256 of each file of the models called so.

    It is the catalog's. No model is loaded whose files do not have it: the store hashes each file
    that it has not seen before or that has changed since.
    """
    from edgevoice.catalog import Catalog

    try:
        catalog = Catalog.load()
    except EdgevoiceError:
        return {}
    return {
        name: {file.name: file.sha256 for file in catalog.get(name).files}
        for name in names
        if name in catalog
    }


def _sysctl(name: str) -> str:
    if sys.platform != "darwin":
        return ""
    told = subprocess.run(["sysctl", "-n", name], capture_output=True, text=True, check=False)
    return told.stdout.strip()
