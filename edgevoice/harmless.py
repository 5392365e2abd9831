"""Make text safe for a terminal, by removing escape sequences and control characters.

Such characters can write the clipboard, change the screen or reorder words. Transcripts, model
output, and text of files, devices and other programs pass through here on the way to a terminal.
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
    """`text` without escape sequences, control characters and bidi overrides.

    Line ends and tabs are kept.
    """
    if text.isprintable():
        return text
    return CONTROL.sub(_replacement, SEQUENCE.sub("", text))


def _replacement(match: re.Match[str]) -> str:
    if "\udc80" <= match[0] <= "\udcff":
        # A byte of a file name that is not UTF-8.
        return "\ufffd"
    return "" if match[0] in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069" else " "


def one_line(text: str) -> str:
    """`harmless(text)` on one line."""
    return " ".join(harmless(text).splitlines()).replace("\t", " ")


def harmless_json(text: str) -> str:
    """Equivalent JSON with such characters escaped."""
    return CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def harmless_event(event: E) -> E:
    """The event with all its text made harmless."""
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
        cleaned = tuple(map(_clean, value))
        return value if cleaned == value else cleaned
    return harmless_event(value) if isinstance(value, msgspec.Struct) else value
