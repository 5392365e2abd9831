"""The header of a GGUF file: which model it is, whether it can converse, and how long it must be.

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
"""Gives the next n bytes, fewer only at the end."""

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

# llama.cpp's names for how most of a file's tensors are stored (general.file_type).
_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S",
    17: "Q5_K_M", 18: "Q6_K", 24: "IQ1_S", 25: "IQ4_NL", 30: "IQ4_XS", 32: "BF16",
}  # fmt: skip

ALIGNMENT = 32
"""Every tensor begins at a multiple of so many bytes, unless a file says otherwise."""

SHAPE_KEY = "edgevoice.shape"
"""Our own key, which no file of trained weights has."""

LARGEST_HEADER = 256 << 20
"""Bytes; the vocabularies of today's models take up to 20 MB."""
_MOST_NAMED, _MOST_ELEMENTS = 100_000, 1 << 24
"""Of pairs or tensors, and of an array; more of them means a broken file."""
_LONGEST_NAME, _LONGEST_TEXT = 1 << 16, 1 << 20
_DEEPEST, _MOST_DIMENSIONS = 4, 8
_WIDEST_ALIGNMENT = 1 << 20


class Weight(NamedTuple):
    """A tensor; `shape` has the length of a row first, `kind` is GGUF's number of its type."""

    name: str
    shape: tuple[int, ...]
    kind: int

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)

    @property
    def size(self) -> int:
        """Bytes that it takes; 0 where its type is unknown."""
        return size_of(self.kind, self.elements) if self.kind in _BLOCKS else 0

    @property
    def room(self) -> int:
        """Bytes from its begin to the next one's."""
        return -(-self.size // ALIGNMENT) * ALIGNMENT


class NotGguf(Exception):
    """The bytes are not a whole GGUF header, and why."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a GGUF file says of itself.

    `length` is the least size in bytes of a whole file, 0 where an unknown tensor type hides it;
    `tensors` is their number, `weights` are the tensors themselves.
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
        """The model's own name, if it gives one."""
        return str(self.values.get("general.name", ""))

    @property
    def licence(self) -> str:
        """The licence it names, if it does."""
        return str(self.values.get("general.license", ""))

    @property
    def quantization(self) -> str:
        """How the weights are stored, such as `Q4_K_M`; empty if not said."""
        kind = self.values.get("general.file_type")
        return _FILE_TYPES.get(kind, "") if isinstance(kind, int) else ""

    @property
    def chat_template(self) -> bool:
        """Whether it carries the template that a conversation needs."""
        return bool(self.values.get("tokenizer.chat_template"))

    @property
    def shape(self) -> str:
        """Of which model it is only the shape, with random weights; empty for a trained one."""
        return str(self.values.get(SHAPE_KEY, ""))

    @property
    def parts(self) -> int:
        """How many files the model was split into."""
        return _whole(self.values.get("split.count")) or 1

    @property
    def context(self) -> int:
        """The longest context in tokens it was trained for; 0 if not said."""
        return self._number("context_length")

    def cache(self, tokens: int) -> int:
        """Bytes that keys and values of `tokens` positions take in 16 bits."""
        blocks, width = self._number("block_count"), self._number("embedding_length")
        heads = self._number("attention.head_count")
        shared = self._number("attention.head_count_kv") or heads
        if not heads:
            return 0
        head = self._number("attention.key_length") or width // heads
        return tokens * blocks * shared * head * 2 * 2

    def _number(self, key: str) -> int:
        return _whole(self.values.get(f"{self.architecture}.{key}"))


def read_header(read: Read, *, tensors: bool = True) -> Header:
    """Parse the header; raises NotGguf. Without `tensors`, only as far as the chat template."""
    counted = _Counted(read)
    count, pairs = _begin(counted)
    values: dict[str, Any] = {}
    for _ in range(pairs):
        key = _string(counted, _LONGEST_NAME)
        values[key] = _value(counted, _scalar(counted, "I"))
        if not tensors and key == "tokenizer.chat_template":
            break
    if not tensors:
        return Header(values, 0, count)
    weights, end = _weights(counted, count)
    alignment = _whole(values.get("general.alignment")) or ALIGNMENT
    if alignment > _WIDEST_ALIGNMENT:
        raise NotGguf("its header is broken")
    length = -(-counted.taken // alignment) * alignment + end if end else 0
    return Header(values, length, count, weights)


class _Counted:
    """Reads on, and no further than a header may reach."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.taken = 0

    def __call__(self, count: int) -> bytes:
        self.taken += count
        if self.taken > LARGEST_HEADER:
            raise NotGguf("its header is broken")
        return self._read(count)


def _begin(read: Read) -> tuple[int, int]:
    """The numbers of tensors and of pairs, from the first bytes of a file."""
    if read(4) != b"GGUF":
        raise NotGguf("it does not begin as a GGUF file does")
    version = _scalar(read, "I")
    if version not in (2, 3):
        raise NotGguf(f"its GGUF version is {version}; 2 and 3 are known")
    return _count(read, _MOST_NAMED), _count(read, _MOST_NAMED)


def _weights(read: Read, count: int) -> tuple[tuple[Weight, ...], int]:
    """The tensors, and bytes from the first one's begin to the last one's end; 0 if a type is
    unknown."""
    found = []
    end = 0
    known = True
    for _ in range(count):
        name = _string(read, _LONGEST_NAME)
        dimensions = _scalar(read, "I")
        if dimensions > _MOST_DIMENSIONS:
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
    """Bytes that so many elements of tensor type `kind` take; they fill whole blocks."""
    size, width = _BLOCKS[kind]
    return elements // width * size


def read_pairs(read: Read) -> dict[str, bytes]:
    """Each key with its value as it stands in the file, type first; raises NotGguf."""
    kept = bytearray()
    counted = _Counted(read)

    def recorded(count: int) -> bytes:
        data = counted(count)
        kept.extend(data)
        return data

    pairs: dict[str, bytes] = {}
    for _ in range(_begin(counted)[1]):
        key = _string(counted, _LONGEST_NAME)
        kept.clear()
        _value(recorded, _scalar(recorded, "I"))
        pairs[key] = bytes(kept)
    return pairs


_LENGTH = struct.Struct("<Q")


def _value(read: Read, kind: int, depth: int = 0) -> Any:
    if kind == _STRING:
        return _string(read, _LONGEST_TEXT)
    if kind == _ARRAY:
        if depth == _DEEPEST:
            raise NotGguf("its header is broken")
        inner, count = _scalar(read, "I"), _count(read, _MOST_ELEMENTS)
        if inner in _SCALARS:
            _skip(read, struct.calcsize("<" + _SCALARS[inner]) * count)
            return None  # Vocabulary scores and the like: long, and nothing we ask for.
        for _ in range(count):
            # Vocabularies have some hundred thousand strings, and nothing we ask for: no decoding.
            if inner == _STRING:
                _skip(read, _LENGTH.unpack(_exactly(read, 8))[0])
            else:
                _value(read, inner, depth + 1)
        return None
    if kind not in _SCALARS:
        raise NotGguf(f"a value of unknown type {kind} is in its header")
    return _scalar(read, _SCALARS[kind])


def _whole(value: Any) -> int:
    """A number as it should be, or 0 for what a broken header holds in its stead."""
    return value if isinstance(value, int) and value > 0 else 0


def _scalar(read: Read, letter: str) -> Any:
    form = "<" + letter
    return struct.unpack(form, _exactly(read, struct.calcsize(form)))[0]


def _count(read: Read, most: int) -> int:
    count = int(_scalar(read, "Q"))
    if count > most:
        raise NotGguf("its header is broken")
    return count


def _string(read: Read, longest: int) -> str:
    return _exactly(read, _count(read, longest)).decode("utf-8", "replace")


_BLOCK = 1 << 20


def _skip(read: Read, count: int) -> None:
    while count > _BLOCK:
        _exactly(read, _BLOCK)
        count -= _BLOCK
    _exactly(read, count)


def _exactly(read: Read, count: int) -> bytes:
    data = read(count)
    if len(data) < count:
        raise NotGguf("it is truncated within its header")
    return data
