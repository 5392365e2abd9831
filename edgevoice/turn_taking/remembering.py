"""What the history keeps of a turn: the question, and the part of the reply that was played."""

from __future__ import annotations

from edgevoice.clock import Monitor
from edgevoice.history import History, Reply
from edgevoice.languages.unspoken import without
from edgevoice.turn import Turn

HARDLY = 3
"""Most words of a reply to half a question that the history drops: they were played while the user
was already going on."""


class HistoryWriter:
    """Writes each turn that is over into the history."""

    def __init__(self, monitor: Monitor, history: History) -> None:
        self._monitor = monitor
        self._history = history

    def write(self, turn: Turn, played: int, interrupted: bool) -> str:
        """Add a turn, of whose reply the first `played` characters were played; all of it unless
        it was `interrupted`.

        Returns the part that counts as played: none if it hardly began to answer half a question.
        """
        reply = _played(turn, played) if interrupted else turn.reply.text
        with self._monitor:
            if turn.question and not turn.forgotten:
                self._remember(turn, reply)
        return without(reply).strip()

    def _remember(self, turn: Turn, played: str) -> None:
        record = turn.reply
        unplayed = record.text[len(played) :]
        missing = bool(unplayed.strip()) or not record.complete
        broken_off = turn.cancelled and missing
        reply = Reply(without(played), unplayed, broken_off, record.complete, record.tools)
        if record.continues:
            self._history.extend(reply)
        else:
            self._history.remember(turn.question, reply, turn.transcription.language)


def _played(turn: Turn, played: int) -> str:
    reply = turn.reply.text[:played].rstrip()
    if turn.speech.continued and len(reply.split()) <= HARDLY:
        # It answered half a question; the whole one follows.
        return ""
    return reply
