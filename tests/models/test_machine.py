"""The machine as a container lets us see it."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from edgevoice.models import machine


def limit(folder: Path, text: str) -> Path:
    (folder / "memory.max").write_text(text)
    return folder


def test_a_containers_limit_counts_where_it_is_lower(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container of half a gigabyte there is half a gigabyte, whatever the machine has."""
    monkeypatch.setattr(machine, "CONTROL_GROUP", limit(tmp_path, "500000000\n"))
    assert machine.total_memory() == 500_000_000
    assert 0 <= machine.free_memory() < 500_000_000


@pytest.mark.parametrize("text", ["max\n", "", "rubbish"])
def test_no_limit_leaves_the_machines_own_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """A container without a limit says `max`."""
    monkeypatch.setattr(machine, "CONTROL_GROUP", limit(tmp_path, text))
    assert machine.total_memory() == psutil.virtual_memory().total


def test_there_is_a_core_and_some_memory() -> None:
    """What is asked of this very machine makes sense."""
    assert 1 <= machine.cores() <= (os.cpu_count() or 1)
    assert machine.total_memory() >= machine.free_memory() > 0


@pytest.mark.parametrize(
    ("text", "cores"), [("200000 100000", 2), ("150000 100000", 1), ("50000 100000", 1)]
)
def test_a_containers_quota_counts_in_whole_cores(tmp_path: Path, text: str, cores: int) -> None:
    """Half a core more is none: a thread on it would hold up all the others."""
    quota = tmp_path / "cpu.max"
    quota.write_text(text)
    assert machine.granted_cores(quota) == cores


def test_without_a_quota_the_machine_decides(tmp_path: Path) -> None:
    """No limit, or no control groups at all, never lowers the number of cores."""
    unlimited = tmp_path / "cpu.max"
    unlimited.write_text("max 100000")
    assert machine.granted_cores(unlimited) == machine.granted_cores(tmp_path / "absent") > 1000


def test_cores_are_counted_once_for_models_and_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The quota that sizes the engines' threads sizes the models to begin with, too."""
    monkeypatch.setattr("psutil.cpu_count", lambda logical: 16)
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(12)), raising=False)
    monkeypatch.setattr(machine, "granted_cores", lambda quota: 1 << 16)
    assert machine.cores() == 12
    monkeypatch.setattr(machine, "granted_cores", lambda quota: 3)
    assert machine.cores() == 3
