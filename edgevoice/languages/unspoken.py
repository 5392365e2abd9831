"""What a model writes for itself: reasoning between tags, and calls of tools as JSON.

It is never read aloud, and not remembered as heard.
"""

from __future__ import annotations

import re

TAGS = ("think", "thinking", "reasoning", "reflection", "thought", "tool_call", "tool_response")
_CLOSING = tuple(f"</{tag}>" for tag in TAGS)
_OPENING = re.compile(rf"<({'|'.join(TAGS)})>\Z")
_TOOLS = re.compile(r"\[TOOL_CALLS\]\Z|<\|(?:python_tag|tool_call)\|>\Z")
_JSON = re.compile(r"(?:^|(?<=\s))(?:\[\s*)?\{\s*\"\Z")
_SCALE = {"{": 1, "[": 1, "}": -1, "]": -1}
LONGEST_MARK = 20
"""Characters of the longest beginning of such a part."""


class UnspokenPart:
    """A part that is not spoken, whose beginning has been seen."""

    def __init__(self, closing: str, seen: str = "") -> None:
        self._closing = closing
        """Its last characters; without them it is JSON, and ends with its last bracket."""
        self._tail = ""
        self._depth = 0
        self._quoted = self._escaped = False
        for char in seen:
            self.push(char)

    def push(self, char: str) -> bool:
        """Take its next character; returns whether that was its last one."""
        if self._closing:
            self._tail = (self._tail + char)[-len(self._closing) :]
            return self._tail == self._closing
        if self._quoted:
            self._quoted = self._escaped or char != '"'
            self._escaped = char == "\\" and not self._escaped
            return False
        self._quoted = char == '"'
        self._depth += _SCALE.get(char, 0)
        return self._depth == 0 and char in "}]"


def begun(text: str) -> tuple[int, UnspokenPart] | None:
    """The part that the last characters of `text` begin, and where it begins."""
    last = text[-1:]
    if last not in '>]"':
        return None
    tail = text[-LONGEST_MARK:]
    offset = len(text) - len(tail)
    if last == '"':
        # Outside of JSON a quotation mark behind a bracket is rare.
        found = _JSON.search(text if len(text) <= LONGEST_MARK else tail)
        return (offset + found.start(), UnspokenPart("", found[0].strip())) if found else None
    if found := _OPENING.search(tail):
        return offset + found.start(), UnspokenPart(f"</{found[1]}>")
    # What follows such a mark is JSON to the end.
    found = _TOOLS.search(tail)
    return (offset + found.start(), UnspokenPart("\0")) if found else None


def left_open(prompt: str) -> str:
    """The opening tag that a prompt ends with, so that the model does not write it; or nothing."""
    found = _OPENING.search(prompt.rstrip()[-LONGEST_MARK:])
    return found[0] if found else ""


def closes(text: str) -> bool:
    """Whether `text` ends with the end of a part whose beginning the model did not write."""
    return text[-1:] == ">" and text.endswith(_CLOSING)


def without(text: str) -> str:
    """`text` without such parts."""
    if not any(mark in text for mark in ("</", "<", "[TOOL_CALLS]", '{"', '{ "')):
        return text
    kept, part = "", None
    for char in text:
        if part is not None:
            part = None if part.push(char) else part
            continue
        kept += char
        if found := begun(kept):
            start, part = found
            kept = kept[:start]
        elif closes(kept):
            kept = ""
    return kept
