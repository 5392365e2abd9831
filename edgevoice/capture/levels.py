"""The level meter: microphone level and speech probability, ten times a second."""

from __future__ import annotations

from edgevoice import events as ev
from edgevoice.bus import Bus
from edgevoice.protocols import AudioSource

FRAMES_PER_LEVEL = 3
"""Frames between two Level events."""


class LevelMeter:
    """Emits Level and Overrun events; runs in capture's thread."""

    def __init__(self, bus: Bus, source: AudioSource) -> None:
        self._bus = bus
        self._source = source
        self._peak, self._level, self._count = 0.0, -120.0, 0
        self._lost = 0

    def add(self, dbfs: float, probability: float) -> None:
        """Add a frame with its level in dBFS and its speech probability."""
        self._peak = max(self._peak, probability)
        self._level = max(self._level, dbfs)
        self._count += 1
        if self._count % FRAMES_PER_LEVEL:
            return
        self._bus.emit(ev.Level(dbfs=round(self._level, 1), speech=round(self._peak, 3)))
        self._peak, self._level = 0.0, -120.0
        if (lost := self._source.overruns()) > self._lost:
            self._bus.emit(ev.Overrun(count=lost - self._lost))
            self._lost = lost
