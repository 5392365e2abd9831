"""What a CTranslate2 file holds is told by its table, and no broken one gets past it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgevoice.models.ct2 import NotCt2, stored
from tests.models.ct2_file import WHISPER, model_bin


def test_every_tensor_is_told_by_name_and_shape(tmp_path: Path) -> None:
    """In the order of the file, numbers without a shape among them."""
    path = tmp_path / "model.bin"
    path.write_bytes(model_bin())
    found = stored(path)
    assert {tensor.name: tensor.shape for tensor in found} == WHISPER
    assert sum(tensor.elements for tensor in found if tensor.name == "encoder/conv1/weight") == 960


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (model_bin(version=5), "version is 5"),
        (model_bin()[:40], "truncated"),
        (b"", "truncated"),
        (b"\x06\0\0\0\x01\0\0" + b"\xff" * 8, "header is broken"),
    ],
)
def test_a_broken_file_is_named(data: bytes, told: str, tmp_path: Path) -> None:
    """Another version, one that ends too soon, an empty one, and nonsense."""
    path = tmp_path / "model.bin"
    path.write_bytes(data)
    with pytest.raises(NotCt2, match=told):
        stored(path)


def test_a_missing_file_is_the_systems_own_error(tmp_path: Path) -> None:
    """Who asks says what it was for."""
    with pytest.raises(FileNotFoundError):
        stored(tmp_path / "model.bin")
