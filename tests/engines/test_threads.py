"""How many threads an engine may run."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgevoice.engines.threads import granted_cores, usable_cores


@pytest.mark.parametrize(
    ("text", "cores"), [("200000 100000", 2), ("150000 100000", 1), ("50000 100000", 1)]
)
def test_a_containers_quota_counts_in_whole_cores(tmp_path: Path, text: str, cores: int) -> None:
    """Half a core more is none: a thread on it would hold up all the others."""
    quota = tmp_path / "cpu.max"
    quota.write_text(text)
    assert granted_cores(quota) == cores


def test_without_a_quota_the_machine_decides(tmp_path: Path) -> None:
    """No limit, or no control groups at all, never lowers the number of cores."""
    unlimited = tmp_path / "cpu.max"
    unlimited.write_text("max 100000")
    assert granted_cores(unlimited) == granted_cores(tmp_path / "absent") > 1000
    assert usable_cores() >= 1
