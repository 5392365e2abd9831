"""What a kiosk reports about itself: numbers and names, never words of a visitor."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import psutil

from edgevoice import events as ev
from edgevoice.files import replace_bytes
from edgevoice.outside import Malformed, from_json, read
from edgevoice.power import read_power
from edgevoice.timings import Timings

_log = logging.getLogger(__name__)

COUNTERS = ("answered", "unanswered", "failures", "visitors", "starts", "repairs")
"""What is counted over restarts: starts of the process, and of the pipeline by the watchdog."""


class KioskStatus:
    """Folds events into the status. `file` keeps the counters; a full disk only stops that."""

    def __init__(self, file: Path, now: float) -> None:
        self._file = file
        self._began = now
        self.counters = _kept(file)
        self.counters["starts"] += 1
        self._models: dict[str, str] = {}
        self._timings = Timings()
        self._response_ms: float | None = None

    def add(self, event: ev.Event) -> None:
        """Take the next event."""
        self._timings.add(event)
        match event:
            case ev.EngineReady():
                self._models[event.role] = event.model
            case ev.TurnCompleted() if event.heard:
                answered = self._timings.turns[-1:]
                if answered and answered[0].response_time is not None:
                    self._response_ms = round(answered[0].response_time * 1000)
                self.counters["answered"] += 1
            case ev.TurnCancelled(reason="failed"):
                self.counters["unanswered"] += 1
            case ev.StageFailed():
                self.counters["failures"] += 1
            case ev.ConversationCleared():
                self.counters["visitors"] += 1
            case _:
                pass

    def keep(self) -> None:
        """Write the counters."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            replace_bytes(self._file, [json.dumps(self.counters).encode()])
        except OSError as error:
            _log.debug("the counters are not kept: %s", error)

    def report(
        self, now: float, ready: bool, problem: str, lost: Mapping[str, str], is_open: bool
    ) -> str:
        """The status as one line of JSON; `now` in seconds of the session's clock."""
        return json.dumps(
            {
                "ready": ready and not problem,
                "open": is_open,
                "problem": problem,
                "missing_devices": sorted(lost),
                "models": self._models,
                "uptime_s": round(now - self._began),
                "last_response_ms": self._response_ms,
                "memory_mb": round(psutil.Process().memory_info().rss / 1e6),
                "disk_free_mb": _free_mb(self._file.parent),
                "temperature_c": read_power().celsius,
                **self.counters,
            }
        )


def _free_mb(folder: Path) -> int | None:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return round(shutil.disk_usage(os.fspath(folder)).free / 1e6)
    except OSError:
        return None


def _kept(file: Path) -> dict[str, int]:
    try:
        kept = from_json(read(file), dict[str, int])
    except (OSError, Malformed) as error:
        _log.debug("no kept counters: %s", error)
        kept = {}
    return {name: kept.get(name, 0) for name in COUNTERS}
