"""Text that only looks like a model's control tokens, kept apart from a template's own marks.

A noncharacter inside such a text says that it is text: the template renders it like any other
character, no control token is found there, and it goes before the text becomes tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

BREAK = "\ufdd0"
"""A character that no text may hold, inside what must not become a control token."""

Names = Callable[[str], Collection[str]]
"""Gives the names of the control tokens that a text becomes."""


def broken(text: str, names: Names) -> str:
    """`text` with a BREAK in each name of a control token."""
    text = text.replace(BREAK, "")
    while found := names(text):
        before = text
        for name in found:
            text = text.replace(name, name[:1] + BREAK + name[1:])
        if text == before:
            return BREAK.join(text)
    return text


def parts(text: str, names: Names) -> Iterator[tuple[str, bool]]:
    """A rendered text in pieces, each with whether the names of control tokens in it count.

    Pieces meet at such names only, where a tokenizer cuts anyway. Without BREAK there is one piece.
    """
    if BREAK not in text:
        yield text, True
        return
    marks = sorted(names(text), key=len, reverse=True)
    pieces = re.split(f"({'|'.join(map(re.escape, marks))})", text) if marks else [text]
    ours = ""
    for piece in pieces:
        if BREAK in piece:
            if ours:
                yield ours, True
            ours = ""
            yield piece.replace(BREAK, ""), False
        else:
            ours += piece
    if ours:
        yield ours, True
