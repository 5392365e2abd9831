"""What tests of the bench share: a conversation that was kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kept import Kept, counted


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """Two questions, of which the second one goes back to the first."""
    kept = Kept(tmp_path / "kept", counted)
    kept.show.hear((0.4, "what time is it", 1.0))
    kept.show.hear((0.4, "and in Paris", 1.2))
    kept.run()
    return kept
