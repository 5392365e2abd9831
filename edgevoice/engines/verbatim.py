"""Reuse a reply's own token ids as far as they spell the text that was heard."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def spelled(
    tokens: Sequence[int], text: str, piece: Callable[[int], bytes]
) -> tuple[Sequence[int], int]:
    """The first ids of a reply that spell `text` or its beginning, and how many characters.

    `piece` gives the bytes of one id. Ids of another model spell other text, so none is returned.
    """
    wanted, spelled_bytes = text.encode("utf-8", "replace"), b""
    complete = (0, 0)
    for count, token in enumerate(tokens, 1):
        spelled_bytes += piece(token)
        if not wanted.startswith(spelled_bytes):
            break
        if not _inside_character(wanted, len(spelled_bytes)):
            complete = count, len(spelled_bytes)
    return tokens[: complete[0]], len(wanted[: complete[1]].decode("utf-8"))


def _inside_character(data: bytes, position: int) -> bool:
    return position < len(data) and data[position] & 0xC0 == 0x80
