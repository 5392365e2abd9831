"""Reserve cores for the transcriber while the user speaks."""

from __future__ import annotations

from edgevoice import events as ev
from edgevoice.engines.cpu_budget import CpuBudget

TRANSCRIBER_CORES = 1
"""Cores reserved for the transcriber while the user speaks."""


class CoreReservation:
    """Follows a session's events, and keeps the transcriber's core free during speech.

    The core is idle between two interim transcriptions. But a batch that the language model starts
    there could delay the transcription at the end of speech, which decides the response time.
    """

    def __init__(self, cores: CpuBudget) -> None:
        self._cores = cores
        self._speaking: int | None = None

    def __call__(self, event: ev.Event) -> None:
        """Update the reservation for one event."""
        match event:
            case ev.SpeechStarted():
                self._speaking = event.turn
                self._cores.reserve(TRANSCRIBER_CORES, self)
            case ev.FinalTranscript() | ev.TurnCancelled() | ev.TurnCompleted():
                if event.turn == self._speaking:
                    self._end()
            case ev.SessionEnded():
                self._end()
            case _:
                pass

    def _end(self) -> None:
        self._speaking = None
        self._cores.reserve(0, self)
