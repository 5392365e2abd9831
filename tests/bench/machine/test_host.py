"""What tells one machine from another is read where each platform tells it, and else None."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from edgevoice.bench.machine import host
from edgevoice.catalog import Catalog
from tests.bench.machines import CACHES, tree

MAC = {
    "hw.perflevel0.l1dcachesize": "131072",
    "hw.perflevel0.l2cachesize": "12582912",
    "hw.optional.neon": "1",
    "hw.optional.arm.FEAT_DotProd": "1",
    "hw.optional.arm.FEAT_I8MM": "0",
}


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs the tests, the machines in them have the cores 0 and 1."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(host, "sysctl", lambda name: "")


def test_caches_are_those_of_data_by_level(tmp_path: Path) -> None:
    """One of each; that of instructions is none of them."""
    root = tree(tmp_path, CACHES)
    expected = {"L1d": 32 << 10, "L2": 512 << 10, "L3": 16 << 20}
    assert host.caches(root) == expected


def test_a_last_cache_that_cores_share_counts_once(tmp_path: Path) -> None:
    """Both cores see the same 16 MB; with one each it is twice that."""
    root = tree(tmp_path, CACHES)
    assert host.last_level(root) == 16 << 20
    for cpu in (0, 1):
        shared = root / f"sys/devices/system/cpu/cpu{cpu}/cache/index3/shared_cpu_list"
        shared.write_text(f"{cpu}\n")
    assert host.last_level(root) == 32 << 20


def test_broken_caches_are_left_out(tmp_path: Path) -> None:
    """A size that is none, and a level that is none."""
    root = tree(tmp_path, CACHES)
    folder = root / "sys/devices/system/cpu/cpu0/cache"
    (folder / "index2/size").write_text("much")
    (folder / "index3/level").write_text("")
    assert host.caches(root) == {"L1d": 32 << 10}


def test_a_mac_is_asked_through_sysctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Caches of its fast cores, and instructions that it says it has."""
    monkeypatch.setattr(host, "sysctl", lambda name: MAC.get(name, ""))
    assert host.caches(tmp_path) == {"L1d": 131072, "L2": 12582912}
    assert host.last_level(tmp_path) == 12582912
    assert host.instructions(tmp_path) == ("NEON", "dotprod")


def test_a_system_that_tells_nothing_is_none(tmp_path: Path) -> None:
    """Not an empty list, which would say that there are no caches and no instructions."""
    assert host.caches(tmp_path) is None
    assert host.last_level(tmp_path) is None
    assert host.instructions(tmp_path) is None
    assert host.governor(tmp_path) is None
    assert host.distribution(tmp_path) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("flags\t\t: fpu sse4_2 avx2 fma avx512f avx512_vnni", ("SSE4.2", "AVX2", "FMA")),
        ("Features\t: fp asimd asimddp i8mm", ("NEON", "dotprod", "i8mm")),
        ("flags\t\t: fpu", ()),
    ],
)
def test_instructions_that_matter_are_told_by_name(
    line: str, expected: tuple[str, ...], tmp_path: Path
) -> None:
    """x86 and ARM; one that has none of them is not one that does not tell."""
    found = host.instructions(tree(tmp_path, {"proc/cpuinfo": line}))
    assert found is not None
    assert found[: len(expected)] == expected
    assert ("AVX-512 VNNI" in found) == ("avx512_vnni" in line)
    assert bool(found) == bool(expected)


def test_governors_and_the_distribution_are_named(tmp_path: Path) -> None:
    """Each governor once; the distribution as it calls itself."""
    root = tree(
        tmp_path,
        {
            "sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "schedutil",
            "sys/devices/system/cpu/cpufreq/policy4/scaling_governor": "performance",
            "sys/devices/system/cpu/cpufreq/policy5/scaling_governor": "performance",
            "etc/os-release": 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"',
        },
    )
    assert host.governor(root) == "schedutil, performance"
    assert host.distribution(root) == "Debian GNU/Linux 12 (bookworm)"


def test_hashes_are_the_catalogs_for_each_file() -> None:
    """Of a model that it does not know there is none."""
    found = host.hashes(["whisper-base", "somebody's own"])
    entry = Catalog.load().get("whisper-base")
    assert found == {"whisper-base": {file.name: file.sha256 for file in entry.files}}


def test_llama_tells_what_it_was_built_for() -> None:
    """In one line, with something about the processor in it."""
    told = host.llama()
    assert told
    assert "=" in told
    assert "\n" not in told


def test_without_llama_the_rest_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A binding that is not there, or cannot be loaded, costs only its own line."""
    monkeypatch.setitem(sys.modules, "edgevoice.engines.llama_native", None)
    assert host.llama() is None
