"""Housekeeping: measures the process once a second, and frees memory between two turns."""

from __future__ import annotations

from collections.abc import Callable

from edgevoice import events as ev
from edgevoice.bus import Bus

PERIOD = 1.0
"""Seconds between two measurements."""


class Housekeeping:
    """What is done beside the conversation, in a thread of its own."""

    def __init__(
        self, meter: Callable[[], ev.Resources], free_memory: Callable[[], object] = lambda: None
    ) -> None:
        self._meter = meter
        self._free_memory = free_memory
        self._freed_before = -1
        """Number of the turn before which memory was freed last."""

    def step(self, bus: Bus, is_idle: Callable[[], bool], next_turn: int) -> None:
        """Report the use of resources; free memory once per turn, while idle."""
        bus.emit(self._meter())
        # Between two turns, when no stage waits for memory while some is given back.
        if self._freed_before != next_turn and is_idle():
            self._freed_before = next_turn
            self._free_memory()
