"""A time or a size as a user types it."""

from __future__ import annotations

import re

from edgevoice.errors import UsageError

_FORM = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-z]*)\s*")
TIMES = {"s": 1.0, "ms": 0.001}
BYTES = {
    "GB": 10**9, "MB": 10**6, "GIB": 1 << 30, "MIB": 1 << 20, "G": 10**9, "M": 10**6,
}  # fmt: skip
MAX_BUDGET_SECONDS = 60.0
"""Seconds that a budget may be at most."""


def seconds(text: str) -> float:
    """`1.0s` or `900ms`. Raises UsageError."""
    number, unit = _parts(text, "--budget", "as 1.0s or 900ms")
    if unit not in TIMES:
        raise _wrong(f"a budget has the unit s or ms: {text!r}", "--budget", "as 1.0s or 900ms")
    found = number * TIMES[unit]
    if not 0.0 < found <= MAX_BUDGET_SECONDS:
        what = f"a budget is more than nothing and at most {MAX_BUDGET_SECONDS:.0f} s: {text!r}"
        raise _wrong(what, "--budget", "as 1.0s or 900ms")
    return found


def size(text: str, option: str) -> int:
    """`3GB`, `2500MB` or `4GiB` in bytes, given by `option`. Raises UsageError."""
    example = "as 3GB or 2500MB"
    number, unit = _parts(text, option, example)
    if unit.upper() not in BYTES:
        raise _wrong(f"a size has the unit GB or MB: {text!r}", option, example)
    found = int(number * BYTES[unit.upper()])
    if not found:
        raise _wrong(f"nothing runs in no space: {text!r}", option, example)
    return found


def _parts(text: str, option: str, example: str) -> tuple[float, str]:
    found = _FORM.fullmatch(text)
    if not found:
        raise _wrong(f"not a number with a unit: {text!r}", option, example)
    return float(found[1]), found[2]


def _wrong(what: str, option: str, example: str) -> UsageError:
    return UsageError(what, where=option, remedy=example)
