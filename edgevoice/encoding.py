"""Decode bytes by their byte order mark, and replace text that is not valid Unicode."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order marks and their encodings; a mark that is a prefix of another comes after it."""


def decoded(data: Iterable[bytes], errors: str = "replace") -> Iterator[str]:
    """`data` as text, piece by piece, by its byte order mark or as UTF-8, without NUL.

    Raises UnicodeDecodeError if `errors` is "strict".
    """
    head = b""
    decoder: codecs.IncrementalDecoder | None = None
    for piece in data:
        head += piece
        if decoder is None and any(m.startswith(head) and m != head for m in BYTE_ORDER_MARKS):
            # Not enough bytes to recognize the mark.
            continue
        decoder = decoder or _decoder(head, errors)
        yield decoder.decode(head).replace("\0", "")
        head = b""
    decoder = decoder or _decoder(head, errors)
    yield decoder.decode(head, True).replace("\0", "")


def _decoder(head: bytes, errors: str) -> codecs.IncrementalDecoder:
    found = (encoding for mark, encoding in BYTE_ORDER_MARKS.items() if head.startswith(mark))
    return codecs.getincrementaldecoder(next(found, "utf-8"))(errors)


def well_formed(text: str) -> str:
    """`text` with U+FFFD for each byte that was not UTF-8, as in some file names."""
    return _SURROGATE.sub("\ufffd", text)


def json_bytes(value: Any) -> bytes:
    """`value` as JSON, with its text made well-formed."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_each_well_formed(value))


def _each_well_formed(value: Any) -> Any:
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, Mapping):
        return {_each_well_formed(key): _each_well_formed(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_each_well_formed(each) for each in value]
    if isinstance(value, msgspec.Struct):
        names = value.__struct_fields__
        changed = {name: _each_well_formed(getattr(value, name)) for name in names}
        return msgspec.structs.replace(value, **changed)
    return value


_SURROGATE = re.compile("[\ud800-\udfff]")
"""Surrogates: Python's representation of bytes that are not UTF-8."""
