"""A kiosk on virtual time: a real session with scripted engines, and its attendant."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from edgevoice.assistant import Assistant
from edgevoice.audio import Frame
from edgevoice.context import Resume
from edgevoice.devices.simulated import SimulatedSink
from edgevoice.kiosk.attendant import Attendant
from edgevoice.kiosk.notify import Notifier
from edgevoice.kiosk.status import KioskStatus
from edgevoice.protocols import AudioSource
from edgevoice.session import Session
from edgevoice.settings import Config, KioskSettings
from edgevoice.testing.rehearsal import Rehearsal

MORNING = datetime(2026, 12, 1, 9, 59, 0)
"""A Tuesday."""


class Supervisor(Notifier):
    """Stands for systemd, and notes what it is told."""

    def __init__(self) -> None:
        super().__init__({})
        self.told: list[str] = []

    def __call__(self, *lines: str) -> None:
        self.told += lines


class Noisy:
    """A microphone with the faint noise of a room, where a simulated one delivers zeros."""

    def __init__(self, source: AudioSource) -> None:
        self._source = source

    def read(self) -> Frame | None:
        frame = self._source.read()
        return frame and Frame(frame.samples + np.float32(1e-4), frame.index)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


class NoSettings:
    """A kiosk's settings do not change while it runs."""

    def changed(self, key: str, value: str) -> Config:
        raise AssertionError

    def keep(self, key: str, value: str) -> None:
        raise AssertionError


class Museum:
    """Set up `show` as in any rehearsal, then `run` for some seconds."""

    def __init__(self, folder: Path, settings: KioskSettings, answer: Any = "All right.") -> None:
        self.show = Rehearsal(answer, replace(Config(), kiosk=settings))
        self.show.hear((5000.0, "much later", 1.0))
        self.log: list[tuple[str, str]] = []
        self.supervisor = Supervisor()
        self.built: list[float] = []
        self.folder = folder
        show = self.show

        def build(config: Config, resume: Resume) -> Assistant:
            self.built.append(show.clock.now())
            show.sink = SimulatedSink(show.clock, 16_000, "virtual speaker")
            return show.assemble(resume)

        silent = show.source
        show.source = lambda idle: Noisy(silent(idle))  # type: ignore[assignment]
        self.session = Session(show.config, show.clock, show.bus, build, NoSettings())
        self.attendant = Attendant(
            self.session,
            settings,
            KioskStatus(folder / "kiosk.json", 0.0),
            lambda level, text: self.log.append((level, text)),
            lambda: MORNING + timedelta(seconds=show.clock.now()),
            self.supervisor,
        )

    def at(self, time: float, act: Callable[[], object]) -> None:
        """Call `act` at session time `time`."""

        def cue() -> None:
            self.show.clock.sleep(time)
            act()

        self.show.clock.spawn(cue, "cue")

    def run(self, seconds: float) -> None:
        """Run for `seconds`, or until the attendant gives up."""
        self.at(seconds, self.session.close)
        task = self.show.clock.spawn(self.attendant.run, "attendant")
        self.session.run()
        self.attendant.close()
        task.join()

    def status(self) -> dict[str, Any]:
        """The status as `edgevoice kiosk status` gets it."""
        report: dict[str, Any] = json.loads(self.session.status())
        return report

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.log]
