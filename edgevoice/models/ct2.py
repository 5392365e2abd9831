"""Read the names and shapes of a CTranslate2 model's tensors, without the weights.

Little-endian: version, kind of model, revision, number of tensors. Then for each tensor: name,
shape, type, length in bytes, and the weights. Strings end with a zero byte, included in their
length.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path

VERSION = 6
MAX_COUNT = 1 << 20
"""Maximum number of tensors; more means a broken file."""


class NotCt2(Exception):
    """The file is not a CTranslate2 model, with the reason."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor in the file; loading may convert its numbers to another type."""

    name: str
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        """The number of elements."""
        return prod(self.shape)


def stored(path: Path) -> list[Stored]:
    """Every tensor in the file. Raises NotCt2, and OSError if it cannot be read."""
    found = []
    with path.open("rb") as file:

        def take(form: str) -> int:
            data = file.read(struct.calcsize(form))
            if len(data) < struct.calcsize(form):
                raise NotCt2("it is truncated")
            return int(struct.unpack(form, data)[0])

        def text() -> str:
            length = take("<H")
            return file.read(length).rstrip(b"\0").decode("utf-8", "replace")

        version = take("<I")
        if version != VERSION:
            raise NotCt2(f"its version is {version}; supported is {VERSION}")
        text()
        take("<I")
        count = take("<I")
        if count > MAX_COUNT:
            raise NotCt2("its header is broken")
        for _ in range(count):
            name = text()
            shape = tuple(take("<I") for _ in range(take("<B")))
            take("<B")
            length = take("<I")
            found.append(Stored(name, shape))
            file.seek(length, 1)
    return found
