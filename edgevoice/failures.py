"""Failures of stages: reports each with its remedy, as an event and as a sound."""

from __future__ import annotations

from collections.abc import Callable

from edgevoice import events as ev
from edgevoice.bus import Bus
from edgevoice.errors import EdgevoiceError
from edgevoice.turn import Turn


class FailureReporter:
    """Reports that a stage failed; the session goes on. May be called from any thread."""

    def __init__(self, bus: Bus, alert: Callable[[], None]) -> None:
        self._bus = bus
        self._alert = alert

    def report(self, stage: ev.Stage, turn: Turn | None, error: Exception) -> str:
        """Report a failure in `turn`, if it was in one; returns the message."""
        if isinstance(error, EdgevoiceError):
            what, remedy = error.what, error.remedy
        else:
            what = f"{type(error).__name__}: {error}"
            remedy = "run with --debug and report what it prints"
        number = turn.number if turn else None
        self._bus.emit(ev.StageFailed(stage=stage, turn=number, what=what, remedy=remedy))
        self._alert()
        return what
