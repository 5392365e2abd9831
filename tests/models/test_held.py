"""What this machine holds already is linked, not fetched."""

from __future__ import annotations

import errno

import pytest

from edgevoice.models import disk
from edgevoice.models.pull import pull
from tests.models.conftest import (
    BRAIN,
    BRAIN_ENTRY,
    VOICE,
    VOICE_CONFIG,
    Told,
    World,
)


@pytest.mark.parametrize(
    "place",
    [
        "hf/models--x--y/blobs/{sha}",
        "ollama/blobs/sha256-{sha}",
        "lmstudio/someone/model/any-name.gguf",
        "models/brain.gguf",
    ],
)
def test_a_copy_that_another_tool_holds_is_linked(world: World, place: str) -> None:
    """The same bytes are not stored twice, and not fetched."""
    held = world.root / place.format(sha=BRAIN_ENTRY.files[0].sha256)
    held.parent.mkdir(parents=True, exist_ok=True)
    held.write_bytes(BRAIN)
    (model,) = pull(["brain"], world.store(), Told())
    assert model.path.samefile(held)
    assert world.fetched == []


def test_a_symbolic_link_serves_where_a_hard_one_cannot(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another disk's copy is pointed to; nothing is copied."""
    held = world.root / "ollama" / "blobs" / f"sha256-{BRAIN_ENTRY.files[0].sha256}"
    held.parent.mkdir(parents=True)
    held.write_bytes(BRAIN)

    def other_disk(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(disk.os, "link", other_disk)
    (model,) = pull(["brain"], world.store(), Told())
    assert model.path.is_symlink()
    assert model.path.read_bytes() == BRAIN


def test_a_small_file_of_the_hub_cache_is_found_by_its_path(world: World) -> None:
    """Files that the cache names by another hash are known by where they lie."""
    snapshot = world.root / "hf" / "models--someone--voices" / "snapshots" / ("c" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "v.onnx").write_bytes(VOICE)
    (snapshot / "v.onnx.json").write_bytes(VOICE_CONFIG)
    (model,) = pull(["voice"], world.store(), Told())
    assert model.path.read_bytes() == VOICE


def test_a_held_copy_with_another_hash_is_passed_over(world: World) -> None:
    """A file under the right name with the wrong bytes is not the file."""
    held = world.root / "ollama" / "blobs" / f"sha256-{BRAIN_ENTRY.files[0].sha256}"
    held.parent.mkdir(parents=True)
    held.write_bytes(b"x" * len(BRAIN))
    (model,) = pull(["brain"], world.store(), Told())
    assert model.path.read_bytes() == BRAIN
    assert len(world.fetched) == 3
