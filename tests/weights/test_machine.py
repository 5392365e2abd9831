"""The machine as a container lets us see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgevoice.weights import machine


def limit(folder: Path, text: str) -> Path:
    (folder / "memory.max").write_text(text)
    return folder


def test_a_containers_limit_counts_where_it_is_lower(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container of half a gigabyte there is half a gigabyte, whatever the machine has."""
    found = machine._container_limit(limit(tmp_path, "500000000\n"))
    assert found == [500_000_000]
    monkeypatch.setattr(machine, "_container_limit", lambda: found)
    assert machine.total_memory() == 500_000_000
    assert 0 <= machine.free_memory() < 500_000_000


@pytest.mark.parametrize("text", ["max\n", "", "rubbish"])
def test_no_limit_leaves_the_machines_own_memory(tmp_path: Path, text: str) -> None:
    """A container without a limit says `max`."""
    assert machine._container_limit(limit(tmp_path, text)) == []


def test_there_is_a_core_and_some_memory() -> None:
    """What is asked of this very machine makes sense."""
    assert machine.cores() >= 1
    assert machine.total_memory() >= machine.free_memory() > 0
