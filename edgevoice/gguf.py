"""What the head of a GGUF file says about its model, read before native code touches the file."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Union

Value = Union[str, int, float, bool, tuple[float, ...]]

_SCALARS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q",
    12: "<d",
}  # fmt: skip
_STRING, _ARRAY = 8, 9
_SHORT_ARRAY = 1024
_LONGEST_STRING = 1 << 24


class NotGguf(ValueError):
    """The file is of another kind, or ends within its own head."""


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """The metadata of a model. Vocabulary and other long arrays are left out of `fields`."""

    fields: Mapping[str, Value]
    tensors: int
    size: int
    """Bytes of the file as it is."""
    least_size: int
    """Bytes the file must have at least to hold the beginning of every tensor."""

    @property
    def architecture(self) -> str:
        return str(self.fields.get("general.architecture", ""))

    @property
    def chat_template(self) -> str:
        """The model's own Jinja chat template; empty for a base model."""
        return str(self.fields.get("tokenizer.chat_template", ""))

    @property
    def context(self) -> int:
        """The context length the model was trained for, in tokens; 0 if it does not say."""
        return self._number("context_length")

    def kv_bytes(self, context: int) -> int:
        """Bytes of the key-value cache for `context` tokens in 16-bit floats."""
        heads = self._number("attention.head_count", 1)
        kv_heads = self._number("attention.head_count_kv", heads)
        width = self._number("embedding_length") // max(1, heads)
        key = self._number("attention.key_length", width)
        value = self._number("attention.value_length", width)
        return 2 * self._number("block_count") * context * kv_heads * (key + value)

    def _number(self, name: str, default: int = 0) -> int:
        value = self.fields.get(f"{self.architecture}.{name}", default)
        if isinstance(value, tuple):  # one for each layer
            return int(max(value, default=default))
        return int(value) if isinstance(value, (int, float)) else default


def read_header(path: Path) -> GgufHeader:
    """Read the head of `path`; raises NotGguf, saying why, or OSError."""
    with path.open("rb") as file:
        try:
            return _parse(file, path.stat().st_size)
        except (struct.error, UnicodeDecodeError, KeyError) as error:
            raise NotGguf("the file is cut short or damaged") from error


def _parse(file: BinaryIO, size: int) -> GgufHeader:
    if file.read(4) != b"GGUF":
        raise NotGguf("not a GGUF file")
    version = _scalar(file, "<I")
    if version not in (2, 3):
        raise NotGguf(f"GGUF version {version} is not one that can be read")
    tensors, count = int(_scalar(file, "<Q")), int(_scalar(file, "<Q"))
    if max(tensors, count) > size:
        raise NotGguf("the file is damaged")
    fields: dict[str, Value] = {}
    for _ in range(count):
        key = _string(file)
        value = _value(file, int(_scalar(file, "<I")))
        if value is not None:
            fields[key] = value
    furthest = 0
    for _ in range(tensors):
        _string(file)
        dimensions = int(_scalar(file, "<I"))
        file.seek(8 * dimensions + 4, 1)
        furthest = max(furthest, int(_scalar(file, "<Q")))
    alignment = fields.get("general.alignment", 32)
    step = alignment if isinstance(alignment, int) and alignment > 0 else 32
    data = -(-file.tell() // step) * step
    return GgufHeader(fields, tensors, size, data + furthest + 1 if tensors else file.tell())


def _scalar(file: BinaryIO, form: str) -> int | float | bool:
    found: int | float | bool = struct.unpack(form, file.read(struct.calcsize(form)))[0]
    return found


def _string(file: BinaryIO) -> str:
    length = int(_scalar(file, "<Q"))
    if length > _LONGEST_STRING:
        raise NotGguf("the file is damaged")
    text = file.read(length)
    if len(text) < length:
        raise NotGguf("the file is cut short")
    return text.decode("utf-8", "replace")


def _value(file: BinaryIO, kind: int) -> Value | None:
    """One value; None for an array of strings or a long one, which is skipped."""
    if kind == _STRING:
        return _string(file)
    if kind != _ARRAY:
        return _scalar(file, _SCALARS[kind])
    kind, length = int(_scalar(file, "<I")), int(_scalar(file, "<Q"))
    if kind == _STRING:
        _skip_strings(file, length)
        return None
    width = struct.calcsize(_SCALARS[kind])
    if length <= _SHORT_ARRAY:
        return tuple(float(_scalar(file, _SCALARS[kind])) for _ in range(length))
    file.seek(width * length, 1)
    return None


def _skip_strings(file: BinaryIO, count: int) -> None:
    unpack, read, seek = struct.Struct("<Q").unpack, file.read, file.seek
    for _ in range(count):
        (length,) = unpack(read(8))
        # Read, not sought: a seek throws the read buffer away, ten times slower for short words.
        if length < 256:
            read(length)
        else:
            seek(length, 1)
