"""JSON and TOML that others wrote: one error for whatever may be wrong with it.

Nesting, size and numbers are bounded, and text must be UTF-8; a byte order mark is left out.
"""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")

MOST_BYTES = 32 << 20
"""Of JSON; the values that are made of it take up to thirty times as much memory."""
MOST_TOML = 1 << 20
"""Bytes; TOML is read slowly."""
LARGEST = 1e20
"""No number in a file is larger; one that is becomes infinite where it is reckoned with."""
_SUSPICIOUS = re.compile(rb"\d{20}|\d[eE]\+?\d")


class Malformed(ValueError):
    """The text is not what it should be, and why."""


def read(path: Path, most: int = MOST_BYTES) -> bytes:
    """The content of a file of `most` bytes at most. Raises Malformed, and OSError."""
    with path.open("rb") as file:
        data = file.read(most + 1)
    _limit(len(data), most)
    return data


def read_text(path: Path, most: int = MOST_TOML) -> str:
    """The same as text in UTF-8, without its byte order mark and with \\n at the end of lines."""
    try:
        text = read(path, most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed(str(error)) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def from_json(data: bytes, kind: type[T], *, strict: bool = True) -> T:
    """`data` as a value of `kind`. Raises Malformed."""
    try:
        _limit(len(data), MOST_BYTES)
        data = data.removeprefix(codecs.BOM_UTF8)
        if _SUSPICIOUS.search(data):
            check_numbers(msgspec.json.decode(data))
        decoder: msgspec.json.Decoder[T] = _decoder(kind, strict)  # type: ignore[arg-type]
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(_reason(error)) from None


def from_toml(data: bytes | str) -> dict[str, Any]:
    """The tables of `data`. Raises Malformed, with the place as tomllib tells it."""
    _limit(len(data), MOST_TOML)
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        values = tomllib.loads(text.removeprefix("\ufeff"))
        check_numbers(values)
    except Malformed:
        raise
    except (ValueError, RecursionError) as error:
        raise Malformed(_reason(error)) from None
    return values


def converted(values: Any, kind: type[T]) -> T:
    """Values that were read as one of `kind`. Raises Malformed."""
    try:
        return msgspec.convert(values, kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Malformed(_reason(error)) from None


def check_numbers(value: Any) -> None:
    """Raise Malformed where a number in `value` is too large to be reckoned with, or none."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, (int, float)) and not abs(each) <= LARGEST:
            raise Malformed("a number in it is too large")


@lru_cache(maxsize=64)
def _decoder(kind: Any, strict: bool) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, strict=strict)


def _limit(size: int, most: int) -> None:
    if size > most:
        raise Malformed(f"it has more than {most:,} bytes")


def _reason(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
