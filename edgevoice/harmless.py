"""Text on its way to a terminal, where some characters are commands: write the clipboard, change
what stands on the screen, or show words in another order.

What was recognized, written by a model, or read from a file, a device or another program is text
and nothing else. Every edge at which text leaves for a terminal takes it through here.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

E = TypeVar("E", bound=msgspec.Struct)

SEQUENCE = re.compile(
    # Strings for the terminal (OSC, DCS, SOS, PM, APC) up to their end, where they have one;
    r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f\n]*(?:\x07|\x1b\\|\x9c)"
    # CSI with its parameters; and everything shorter.
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|\x1b[ -/]*[0-~]?"
)
CONTROL = re.compile(
    # All C0 but tab and the end of a line, DEL, C1, and halves of characters;
    "[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]|\r(?!\n)"
    # line separators, and what turns the order of letters around. Marks for one letter
    # (U+200E, U+200F, U+061C) and joiners stay: languages and emoji are written with them.
    "|[\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)


def harmless(text: str) -> str:
    """`text` without escape sequences, control characters and bidi overrides; it keeps its lines
    and tabs."""
    if text.isprintable():
        return text
    return CONTROL.sub(_instead, SEQUENCE.sub("", text))


def _instead(found: re.Match[str]) -> str:
    if "\udc80" <= found[0] <= "\udcff":
        # A byte of a file name that is not UTF-8.
        return "\ufffd"
    return "" if found[0] in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069" else " "


def one_line(text: str) -> str:
    """`text` as `harmless` gives it, on one line."""
    return " ".join(harmless(text).splitlines()).replace("\t", " ")


def harmless_json(text: str) -> str:
    """JSON that means the same, in which such characters are escaped."""
    return CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def harmless_event(event: E) -> E:
    """The event with all its text as `harmless` gives it."""
    changed = {
        name: clean
        for name in event.__struct_fields__
        if (clean := _clean(value := getattr(event, name))) is not value
    }
    return msgspec.structs.replace(event, **changed) if changed else event


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, dict):
        return {_clean(key): _clean(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return tuple(map(_clean, value))
    return value
