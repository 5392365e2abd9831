"""The phases of a turn, as far as they decide who may have which core."""

from __future__ import annotations

from edgevoice import events as ev
from edgevoice.engines.cpu_budget import CpuBudget

RECOGNIZER = 1
"""Cores that are kept for the recognizer while the user speaks."""


class CoreReservation:
    """Follows a session's events, and keeps the recognizer's core free while there is speech.

    Between two looks nobody computes there. But what the language model would begin there just
    then would still be running when the voice stops, and the last look is the one that counts.
    """

    def __init__(self, cores: CpuBudget) -> None:
        self._cores = cores
        self._speaking: int | None = None

    def __call__(self, event: ev.Event) -> None:
        """Take one event."""
        match event:
            case ev.SpeechStarted():
                self._speaking = event.turn
                self._cores.reserve(RECOGNIZER)
            case ev.FinalTranscript() | ev.TurnCancelled() | ev.TurnCompleted():
                if event.turn == self._speaking:
                    self._end()
            case ev.SessionEnded():
                self._end()
            case _:
                pass

    def _end(self) -> None:
        self._speaking = None
        self._cores.reserve(0)
