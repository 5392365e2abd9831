"""Questions from standard input, for `run --quiet --plain`."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Protocol

from edgevoice import events as ev


class Asked(Protocol):
    """What answers: a session."""

    def say(self, text: str) -> None: ...

    def close(self) -> None: ...


class TypedQuestions:
    """Asks one line after the other, each when the one before is answered, and then ends.

    It is a subscriber, and waits for the session to be ready.
    """

    def __init__(self, session: Asked, lines: Iterable[str]) -> None:
        self._session = session
        self._lines = lines
        self._free = threading.Event()
        self._ended = False

    def __call__(self, event: ev.Event) -> None:
        if isinstance(event, ev.SessionEnded):
            self._ended = True
        if isinstance(event, ev.Ready | ev.TurnCompleted | ev.SessionEnded):
            self._free.set()

    def start(self) -> None:
        """Ask in a thread of its own, which does not keep the program from ending."""
        threading.Thread(target=self.run, name="typed questions", daemon=True).start()

    def run(self) -> None:
        """Ask until the lines or the session end."""
        self._free.wait()
        for line in self._lines:
            if self._ended:
                return
            if line.strip():
                self._free.clear()
                self._session.say(line.strip())
                self._free.wait()
        self._session.close()
