"""What tests of the bench share: a conversation that was kept."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from edgevoice.bench.roofline import speeds
from tests.kept import Kept, counted


@pytest.fixture(autouse=True, scope="session")
def one_measurement_of_the_machine() -> Iterator[None]:
    """The speeds of memory and processor, which each bench measures anew, are measured once."""
    once = functools.cache(speeds.measured_elsewhere)
    with mock.patch.object(speeds, "measured_elsewhere", once):
        yield


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """Two questions, of which the second one goes back to the first."""
    kept = Kept(tmp_path / "kept", counted)
    kept.show.hear((0.4, "what time is it", 1.0))
    kept.show.hear((0.4, "and in Paris", 1.2))
    kept.run()
    return kept
