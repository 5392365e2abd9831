"""Keep text that looks like control tokens from becoming control tokens.

A noncharacter (TOKEN_BREAK) is inserted into such text. The template renders it like any character,
no control token is found there, and it is removed before the text is tokenized.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

TOKEN_BREAK = "\ufdd0"
"""A noncharacter, inserted into text that must not become a control token."""

Names = Callable[[str], Collection[str]]
"""Returns the names of the control tokens that a text contains."""


def broken(text: str, names: Names) -> str:
    """`text` with a TOKEN_BREAK in each name of a control token."""
    text = text.replace(TOKEN_BREAK, "")
    while found := names(text):
        before = text
        for name in found:
            text = text.replace(name, name[:1] + TOKEN_BREAK + name[1:])
        if text == before:
            return TOKEN_BREAK.join(text)
    return text


def parts(text: str, names: Names) -> Iterator[tuple[str, bool]]:
    """The pieces of a rendered text, each with whether control tokens in it are valid.

    Pieces meet only at such names, where a tokenizer splits anyway. Without TOKEN_BREAK there is
    one piece.
    """
    if TOKEN_BREAK not in text:
        yield text, True
        return
    marks = sorted(names(text), key=len, reverse=True)
    pieces = re.split(f"({'|'.join(map(re.escape, marks))})", text) if marks else [text]
    rest = ""
    for piece in pieces:
        if TOKEN_BREAK in piece:
            if rest:
                yield rest, True
            rest = ""
            yield piece.replace(TOKEN_BREAK, ""), False
        else:
            rest += piece
    if rest:
        yield rest, True
