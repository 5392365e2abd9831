"""The tensors of a CTranslate2 model.bin: names, shapes and types, without reading the weights.

Little-endian: version, the model's kind, its revision, the number of tensors; then for each its
name, shape, type and length in bytes, followed by so many bytes of weights. Strings end with a zero
byte that their length counts.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path

VERSION = 6
_MOST = 1 << 20
"""Tensors, or dimensions of one: more means a broken file."""


class NotCt2(Exception):
    """The file is not a model of CTranslate2, and why."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor as it lies in the file; when it is loaded its numbers may get another type."""

    name: str
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


def stored(path: Path) -> list[Stored]:
    """Every tensor in the file. Raises NotCt2, and OSError if it cannot be read."""
    found = []
    with path.open("rb") as file:

        def take(form: str) -> int:
            data = file.read(struct.calcsize(form))
            if len(data) < struct.calcsize(form):
                raise NotCt2("it is cut short")
            return int(struct.unpack(form, data)[0])

        def text() -> str:
            length = take("<H")
            return file.read(length).rstrip(b"\0").decode("utf-8", "replace")

        version = take("<I")
        if version != VERSION:
            raise NotCt2(f"its version is {version}; {VERSION} is known")
        text()
        take("<I")
        count = take("<I")
        if count > _MOST:
            raise NotCt2("its header is broken")
        for _ in range(count):
            name = text()
            shape = tuple(take("<I") for _ in range(take("<B")))
            take("<B")
            length = take("<I")
            found.append(Stored(name, shape))
            file.seek(length, 1)
    return found
