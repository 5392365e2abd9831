"""A model's own tokens, as far as they are still what it is known to have said."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def spelled(
    tokens: Sequence[int], text: str, piece: Callable[[int], bytes]
) -> tuple[Sequence[int], int]:
    """As many of a reply's own ids as spell `text` or its beginning, and how many characters they
    do spell; `piece` gives the bytes of one.

    Ids of another model spell something else, and so none of them is taken.
    """
    wanted, made = text.encode("utf-8", "replace"), b""
    whole = (0, 0)
    for count, token in enumerate(tokens, 1):
        made += piece(token)
        if not wanted.startswith(made):
            break
        if not _inside_character(wanted, len(made)):
            whole = count, len(made)
    return tokens[: whole[0]], len(wanted[: whole[1]].decode("utf-8"))


def _inside_character(data: bytes, place: int) -> bool:
    return place < len(data) and data[place] & 0xC0 == 0x80
