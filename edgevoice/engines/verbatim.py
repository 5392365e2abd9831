"""Reuse a reply's own token ids as far as they spell the text that was heard."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

REMEMBERED = 256
"""Replies whose ids are remembered: more than the context of a conversation holds."""


@dataclass(slots=True)
class GeneratedReply:
    """The text of a reply so far, and its ids."""

    text: str = ""
    ids: list[int] = field(default_factory=list)

    def add(self, token: int, text: str) -> None:
        """Append a generated token; `text` is empty while a UTF-8 character is incomplete."""
        self.ids.append(token)
        self.text += text


class GeneratedReplies:
    """Which ids a model generated for which text; `piece` gives the bytes of one id."""

    def __init__(self, piece: Callable[[int], bytes]) -> None:
        self._piece = piece
        self._replies: deque[GeneratedReply] = deque(maxlen=REMEMBERED)

    def begin(self, reply: GeneratedReply) -> GeneratedReply:
        """Remember a reply that begins."""
        self._replies.append(reply)
        return reply

    def spelled(self, text: str) -> tuple[Sequence[int], int]:
        """The ids of the reply that begins with `text`, as `spelled` returns them.

        If there are several, the newest counts.
        """
        same = (reply for reply in reversed(self._replies) if reply.text.startswith(text))
        reply = next(same, GeneratedReply())
        return spelled(reply.ids, text, self._piece)


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
