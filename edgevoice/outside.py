"""Read JSON and TOML from untrusted sources, with one error in plain English.

Nesting, size and numbers are bounded, and text must be UTF-8; a byte order mark is ignored.
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
"""Maximum bytes of JSON; its values take up to thirty times as much memory."""
MOST_TOML = 1 << 20
"""Maximum bytes of TOML, which is slow to parse."""
MAX_NUMBER = 1e20
"""Maximum absolute number in a file; larger ones could become infinite in calculations."""
_SUSPICIOUS = re.compile(rb"\d{20}|\d[eE]\+?\d")


class Malformed(ValueError):
    """The text is invalid, with the reason.

    `place` is the path to the error as names and indices from 0; empty if unknown.
    """

    def __init__(self, why: str, place: tuple[str | int, ...] = ()) -> None:
        super().__init__(why)
        self.place = place


class TooLarge(Malformed):
    """The text is larger than the limit."""


def read(path: Path, limit: int = MOST_BYTES) -> bytes:
    """The content of a file of at most `limit` bytes. Raises Malformed, and OSError."""
    with path.open("rb") as file:
        data = file.read(limit + 1)
    _check_size(len(data), limit)
    return data


def read_text(path: Path, limit: int = MOST_TOML) -> str:
    """The content as UTF-8 text without byte order mark, with \\n line ends. Raises like `read`."""
    try:
        text = read(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed(str(error)) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def from_json(data: bytes, kind: type[T], *, strict: bool = True) -> T:
    """`data` as a value of `kind`. Raises Malformed."""
    try:
        _check_size(len(data), MOST_BYTES)
        data = data.removeprefix(codecs.BOM_UTF8)
        if _SUSPICIOUS.search(data):
            check_numbers(msgspec.json.decode(data))
        decoder: msgspec.json.Decoder[T] = _decoder(kind, strict)  # type: ignore[arg-type]
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(error) from None


def from_toml(data: bytes | str) -> dict[str, Any]:
    """The tables of `data`. Raises Malformed with tomllib's position."""
    _check_size(len(data), MOST_TOML)
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        values = tomllib.loads(text.removeprefix("\ufeff"))
        check_numbers(values)
    except Malformed:
        raise
    except (ValueError, RecursionError) as error:
        raise _malformed(error) from None
    return values


def converted(values: Any, kind: type[T]) -> T:
    """`values` converted to `kind`. Raises Malformed."""
    try:
        return msgspec.convert(values, kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _malformed(error) from None


def check_numbers(value: Any) -> None:
    """Raise Malformed if a number in `value` is too large or not a number."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, (int, float)) and not abs(each) <= MAX_NUMBER:
            raise Malformed("a number in it is too large")


@lru_cache(maxsize=64)
def _decoder(kind: Any, strict: bool) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, strict=strict)


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise TooLarge(f"it has more than {limit:,} bytes")


def _malformed(error: Exception) -> Malformed:
    place = re.findall(r"\.([^.\[\]`]+)|\[(\d+)\]", str(error).partition(" - at `")[2])
    unknown = re.findall(r"unknown field `([^`]+)`", str(error))
    return Malformed(reason(error), (*(name or int(number) for name, number in place), *unknown))


def reason(error: Exception) -> str:
    """The reason of a parse error, in plain English."""
    return "it is nested too deeply" if isinstance(error, RecursionError) else in_words(str(error))


_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "null": "empty",
    "array": "a list",
    "object": "a table",
}
_LIMITS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


def in_words(error: str) -> str:
    """A message of msgspec in plain English; other text is returned unchanged."""
    text, _, at = error.partition(" - at `")
    place = at.removesuffix("`").removeprefix("$").removeprefix(".").replace("...", "…")
    name = place or "it"
    if found := re.fullmatch(r"Expected `([^`]+)`(?:, got `([^`]+)`)?(.*)", text):
        kinds, got, limit = found.groups()
        expected = " or ".join(_KINDS.get(kind, kind) for kind in kinds.split(" | "))
        return f"{name} must be {expected}{_bound(kinds, limit)}" + (
            f", not {_KINDS.get(got, got)}" if got else ""
        )
    if found := re.fullmatch(r"Invalid enum value (.+)", text):
        return f"{name} cannot be {found[1]}"
    if found := re.fullmatch(r"Object missing required field `(.+)`", text):
        return f"{found[1]} is missing in {place}" if place else f"{found[1]} is missing"
    if found := re.fullmatch(r"Object contains unknown field `(.+)`", text):
        return f"{found[1]} is not known in {place}" if place else f"{found[1]} is not known"
    if found := re.fullmatch(r"JSON is malformed: .* \(byte (\d+)\)", text):
        return f"it is not valid JSON at byte {found[1]}"
    if text == "Input data was truncated":
        return "it ends too early"
    return f"{text} (at {place})" if place else text


def _bound(kind: str, limit: str) -> str:
    """The rest of `Expected …`: a bound, a length or a form."""
    if found := re.fullmatch(r" (of length )?([<>]=?)? ?(\S+)", limit):
        length, bound, number = found.groups()
        number = number.removesuffix(".0")
        if length:
            unit = "characters" if kind == "str" else "entries"
            return f" of {_LIMITS.get(bound, 'exactly')} {number} {unit}"
        return f", {_LIMITS[bound]} {number}" if bound else ""
    return " of another form" if "matching regex" in limit else ""
