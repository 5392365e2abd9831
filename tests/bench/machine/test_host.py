"""What tells one machine from another is read where each platform tells it, and else None."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgevoice.bench.machine import host
from edgevoice.catalog import Catalog
from tests.bench.machines import CACHES, tree

MAC = {
    "hw.perflevel0.l1dcachesize": "131072",
    "hw.perflevel0.l2cachesize": "12582912",
}


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs the tests, the machines in them have the cores 0 and 1."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(host, "sysctl", lambda name: "")


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
    folder = root / "sys/devices/system/cpu"
    (folder / "cpu0/cache/index2/size").write_text("much")
    for cpu in ("cpu0", "cpu1"):
        (folder / cpu / "cache/index3/level").write_text("")
    assert host.last_level(root) == 32 << 10


def test_a_mac_is_asked_through_sysctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the caches of its fast cores."""
    monkeypatch.setattr(host, "sysctl", lambda name: MAC.get(name, ""))
    assert host.last_level(tmp_path) == 12582912


def test_a_system_that_tells_nothing_is_none(tmp_path: Path) -> None:
    """And never zero, which would say that there are no caches."""
    assert host.last_level(tmp_path) is None
    assert host.governor(tmp_path) is None


def test_governors_are_named(tmp_path: Path) -> None:
    """Each once."""
    root = tree(
        tmp_path,
        {
            "sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "schedutil",
            "sys/devices/system/cpu/cpufreq/policy4/scaling_governor": "performance",
            "sys/devices/system/cpu/cpufreq/policy5/scaling_governor": "performance",
        },
    )
    assert host.governor(root) == "schedutil, performance"


def test_hashes_are_the_catalogs_for_each_file() -> None:
    """Of a model that it does not know there is none."""
    found = host.hashes(["whisper-base", "somebody's own"])
    entry = Catalog.load().get("whisper-base")
    assert found == {"whisper-base": {file.name: file.sha256 for file in entry.files}}
