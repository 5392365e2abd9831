"""Read the header of a GGUF file: its model, its chat template, and the size of the whole file.

The format is little-endian: magic, version, the numbers of tensors and of key-value pairs, the
pairs, then for each tensor its name, shape, type and offset; the weights follow, aligned.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

Read = Callable[[int], bytes]
"""Returns the next n bytes, fewer only at the end."""

# Value types by their number in the format: struct letters, then string (8) and array (9).
_SCALARS = dict(enumerate("BbHhIif?")) | {10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9

# Bytes and elements of a block, by the number of the tensor type.
_BLOCKS = {
    0: (4, 1), 1: (2, 1), 2: (18, 32), 3: (20, 32), 6: (22, 32), 7: (24, 32), 8: (34, 32),
    9: (36, 32), 10: (84, 256), 11: (110, 256), 12: (144, 256), 13: (176, 256), 14: (210, 256),
    15: (292, 256), 16: (66, 256), 17: (74, 256), 18: (98, 256), 19: (50, 256), 20: (18, 32),
    21: (110, 256), 22: (82, 256), 23: (136, 256), 24: (1, 1), 25: (2, 1), 26: (4, 1),
    27: (8, 1), 28: (8, 1), 29: (56, 256), 30: (2, 1), 34: (54, 256), 35: (66, 256),
}  # fmt: skip

# llama.cpp's names for how limit of a file's tensors are stored (general.file_type).
_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S",
    17: "Q5_K_M", 18: "Q6_K", 24: "IQ1_S", 25: "IQ4_NL", 30: "IQ4_XS", 32: "BF16",
}  # fmt: skip

ALIGNMENT = 32
"""Default alignment of tensors in bytes."""

SHAPE_KEY = "edgevoice.shape"
"""Our own key; only synthetic models have it."""

MAX_HEADER_BYTES = 256 << 20
"""Maximum bytes of a header; the vocabularies of current models take up to 20 MB."""
_MAX_NAMED, _MAX_ELEMENTS = 100_000, 1 << 24
"""Maximum number of pairs or tensors, and of array elements; more means a broken file."""
_MAX_NAME_BYTES, _MAX_TEXT_BYTES = 1 << 16, 1 << 20
_MAX_DEPTH, _MAX_DIMENSIONS = 4, 8
_MAX_ALIGNMENT = 1 << 20


class Weight(NamedTuple):
    """A tensor; `shape` starts with the row length, `kind` is GGUF's number of its type."""

    name: str
    shape: tuple[int, ...]
    kind: int

    @property
    def elements(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    @property
    def size(self) -> int:
        """Its size in bytes; 0 if its type is unknown."""
        return size_of(self.kind, self.elements) if self.kind in _BLOCKS else 0

    @property
    def room(self) -> int:
        """Bytes from its start to the start of the next tensor."""
        return -(-self.size // ALIGNMENT) * ALIGNMENT


class NotGguf(Exception):
    """The bytes are not a complete GGUF header, with the reason."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a GGUF file.

    `length` is the minimum size in bytes of the whole file, 0 if a tensor type is unknown.
    `tensors` is the number of tensors, `weights` are the tensors themselves.
    """

    values: dict[str, Any]
    length: int
    tensors: int
    weights: tuple[Weight, ...] = ()

    @property
    def architecture(self) -> str:
        """The model family, such as `qwen2` or `phi3`."""
        return str(self.values.get("general.architecture", ""))

    @property
    def title(self) -> str:
        """The model's name; empty if not given."""
        return str(self.values.get("general.name", ""))

    @property
    def licence(self) -> str:
        """The licence; empty if not given."""
        return str(self.values.get("general.license", ""))

    @property
    def quantization(self) -> str:
        """The quantization, such as `Q4_K_M`; empty if not given."""
        kind = self.values.get("general.file_type")
        return _FILE_TYPES.get(kind, "") if isinstance(kind, int) else ""

    @property
    def chat_template(self) -> bool:
        """Whether it has the chat template that a conversation needs."""
        return bool(self.values.get("tokenizer.chat_template"))

    @property
    def shape(self) -> str:
        """The model whose dimensions a synthetic model has; empty for a trained model."""
        return str(self.values.get(SHAPE_KEY, ""))

    @property
    def parts(self) -> int:
        """The number of files the model was split into."""
        return _positive_int(self.values.get("split.count")) or 1

    @property
    def context(self) -> int:
        """The longest context it was trained for, in tokens; 0 if not given."""
        return self._number("context_length")

    def cache(self, tokens: int) -> int:
        """Bytes of the KV cache for `tokens` positions with 16-bit values; 0 if unknown."""
        blocks, width = self._number("block_count"), self._number("embedding_length")
        heads = self._number("attention.head_count")
        shared = self._number("attention.head_count_kv") or heads
        if not heads:
            return 0
        head = self._number("attention.key_length") or width // heads
        return tokens * blocks * shared * head * 2 * 2

    def _number(self, key: str) -> int:
        return _positive_int(self.values.get(f"{self.architecture}.{key}"))


def read_header(read: Read, *, tensors: bool = True) -> Header:
    """Parse the header; raises NotGguf. Without `tensors`, only as far as the chat template."""
    counted = _Counted(read)
    count, pairs = _read_counts(counted)
    values: dict[str, Any] = {}
    for _ in range(pairs):
        key = _string(counted, _MAX_NAME_BYTES)
        values[key] = _value(counted, _scalar(counted, "I"))
        if not tensors and key == "tokenizer.chat_template":
            break
    if not tensors:
        return Header(values, 0, count)
    weights, end = _weights(counted, count)
    alignment = _positive_int(values.get("general.alignment")) or ALIGNMENT
    if alignment > _MAX_ALIGNMENT:
        raise NotGguf("its header is broken")
    length = -(-counted.bytes_read // alignment) * alignment + end if end else 0
    return Header(values, length, count, weights)


class _Counted:
    """Counts the bytes read. Raises NotGguf beyond MAX_HEADER_BYTES."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.bytes_read = 0

    def __call__(self, count: int) -> bytes:
        self.bytes_read += count
        if self.bytes_read > MAX_HEADER_BYTES:
            raise NotGguf("its header is broken")
        return self._read(count)


def _read_counts(read: Read) -> tuple[int, int]:
    """The numbers of tensors and of pairs, from the start of a file. Raises NotGguf."""
    if read(4) != b"GGUF":
        raise NotGguf("it does not start with GGUF's magic number")
    version = _scalar(read, "I")
    if version not in (2, 3):
        raise NotGguf(f"its GGUF version is {version}; supported are 2 and 3")
    return _count(read, _MAX_NAMED), _count(read, _MAX_NAMED)


def _weights(read: Read, count: int) -> tuple[tuple[Weight, ...], int]:
    """The tensors, and the bytes from the first to the end of the last; 0 if a type is unknown."""
    found = []
    end = 0
    known = True
    for _ in range(count):
        name = _string(read, _MAX_NAME_BYTES)
        dimensions = _scalar(read, "I")
        if dimensions > _MAX_DIMENSIONS:
            raise NotGguf("its header is broken")
        shape = tuple(_scalar(read, "Q") for _ in range(dimensions))
        weight = Weight(name, shape, _scalar(read, "I"))
        offset = _scalar(read, "Q")
        found.append(weight)
        if weight.kind in _BLOCKS:
            end = max(end, offset + weight.size)
        else:
            known = False
    return tuple(found), end if known else 0


def size_of(kind: int, elements: int) -> int:
    """Bytes of `elements` elements of tensor type `kind`; the elements fill whole blocks."""
    size, width = _BLOCKS[kind]
    return elements // width * size


def read_pairs(read: Read) -> dict[str, bytes]:
    """Each key with its raw value from the file, type first. Raises NotGguf."""
    recorded_bytes = bytearray()
    counted = _Counted(read)

    def recorded(count: int) -> bytes:
        data = counted(count)
        recorded_bytes.extend(data)
        return data

    pairs: dict[str, bytes] = {}
    for _ in range(_read_counts(counted)[1]):
        key = _string(counted, _MAX_NAME_BYTES)
        recorded_bytes.clear()
        _value(recorded, _scalar(recorded, "I"))
        pairs[key] = bytes(recorded_bytes)
    return pairs


_LENGTH = struct.Struct("<Q")


def _value(read: Read, kind: int, depth: int = 0) -> Any:
    if kind == _STRING:
        return _string(read, _MAX_TEXT_BYTES)
    if kind == _ARRAY:
        if depth == _MAX_DEPTH:
            raise NotGguf("its header is broken")
        inner, count = _scalar(read, "I"), _count(read, _MAX_ELEMENTS)
        if inner in _SCALARS:
            _skip(read, struct.calcsize("<" + _SCALARS[inner]) * count)
            return None  # long arrays, such as vocabulary scores, are not needed
        for _ in range(count):
            # Vocabularies have hundreds of thousands of strings, which are not needed.
            if inner == _STRING:
                _skip(read, _LENGTH.unpack(_read_exactly(read, 8))[0])
            else:
                _value(read, inner, depth + 1)
        return None
    if kind not in _SCALARS:
        raise NotGguf(f"its header has a value of unknown type {kind}")
    return _scalar(read, _SCALARS[kind])


def _positive_int(value: Any) -> int:
    """`value` if it is a positive integer, otherwise 0."""
    return value if isinstance(value, int) and value > 0 else 0


def _scalar(read: Read, letter: str) -> Any:
    form = "<" + letter
    return struct.unpack(form, _read_exactly(read, struct.calcsize(form)))[0]


def _count(read: Read, limit: int) -> int:
    count = int(_scalar(read, "Q"))
    if count > limit:
        raise NotGguf("its header is broken")
    return count


def _string(read: Read, limit: int) -> str:
    return _read_exactly(read, _count(read, limit)).decode("utf-8", "replace")


_BLOCK = 1 << 20


def _skip(read: Read, count: int) -> None:
    while count > _BLOCK:
        _read_exactly(read, _BLOCK)
        count -= _BLOCK
    _read_exactly(read, count)


def _read_exactly(read: Read, count: int) -> bytes:
    data = read(count)
    if len(data) < count:
        raise NotGguf("it is truncated within its header")
    return data
