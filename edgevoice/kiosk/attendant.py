"""Looks after a session: forgets visitors, keeps the hours, watches the work and mends it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal, Protocol

from edgevoice import events as ev
from edgevoice.bus import Bus
from edgevoice.clock import Clock
from edgevoice.errors import SessionError
from edgevoice.kiosk.health import Health
from edgevoice.kiosk.hours import is_open, parsed
from edgevoice.kiosk.notify import Notifier
from edgevoice.kiosk.status import KioskStatus
from edgevoice.kiosk.visitor import Visitor
from edgevoice.settings import KioskSettings

ATTEND_INTERVAL = 1.0
"""Seconds between two looks."""
SAVE_INTERVAL = 60.0
"""Seconds between two writings of the counters."""
MENDED_AFTER = 120.0
"""Seconds without a problem after which restarting the pipeline has helped."""

LogLevel = Literal["info", "warning", "error"]
Log = Callable[[LogLevel, str], None]


class Attended(Protocol):
    """The part of a session that is looked after."""

    clock: Clock
    bus: Bus
    status: Callable[[], str]

    def forget(self) -> None: ...

    def restart(self) -> None: ...

    def close(self, hurry: bool = False) -> None: ...


class Attendant:
    """Call `run` in a thread of its own; it returns after `close`.

    `failure` is the problem that a restart of the pipeline did not mend: then the session is
    closed, so that the supervisor restarts the process.
    """

    def __init__(
        self,
        session: Attended,
        settings: KioskSettings,
        status: KioskStatus,
        log: Log,
        wall: Callable[[], datetime],
        notify: Notifier,
        abandon: Callable[[], None] = lambda: None,
    ) -> None:
        """`abandon` forgets engines that are still in use when the pipeline is built again."""
        self._session = session
        self._clock, self._monitor = session.clock, session.clock.monitor()
        self._health, self._visitor = Health(), Visitor(settings.reset_s)
        self._status, self._log, self._wall, self._notify = status, log, wall, notify
        self._openings = parsed(settings.hours)
        self.is_open = is_open(self._openings, wall())
        """Whether it is open by now; outside the hours the microphone must be closed."""
        self._health.closed = not self.is_open
        self._abandon = abandon
        self._mended_at: float | None = None
        self._saved_at = self._clock.now()
        self._closed = False
        self.failure: SessionError | None = None
        session.status = self.report
        session.bus.subscribe(self._add)

    def run(self) -> None:
        """Look after the session until `close`."""
        while not self._closed:
            self._step()
            with self._monitor:
                self._monitor.wait_for(lambda: self._closed, ATTEND_INTERVAL)
        self._notify("STOPPING=1")
        self._status.keep()

    def close(self) -> None:
        """End `run`."""
        with self._monitor:
            self._closed = True
            self._monitor.notify_all()

    def report(self) -> str:
        """The status as JSON."""
        with self._monitor:
            now = self._clock.now()
            health = self._health
            return self._status.report(
                now, health.ready, health.problem(now), health.lost, self.is_open
            )

    def _add(self, event: ev.Event) -> None:
        with self._monitor:
            for fold in (self._health, self._visitor, self._status):
                fold.add(event)
        match event:
            case ev.Ready():
                self._notify("READY=1", "STATUS=ready")
                self._log("info", "ready")
            case ev.DeviceLost():
                self._log("warning", f"the {event.kind} device was lost: {event.name}")
            case ev.DeviceRestored():
                self._log("info", f"the {event.kind} device works again: {event.name}")
            case ev.StageFailed():
                self._log("error", f"{event.stage} failed: {event.what}")
            case _:
                pass

    def _step(self) -> None:
        now = self._clock.now()
        with self._monitor:
            left, answered = self._visitor.has_left(now), self._visitor.answered
            problem, loading = self._health.problem(now), not self._health.ready
        if left:
            self._session.forget()
            self._log("info", f"a visitor has left after {answered} answers: all is forgotten")
        if (opened := is_open(self._openings, self._wall())) != self.is_open:
            self.is_open = opened
            self._health.closed = not opened
            self._log("info", "open" if opened else "closed: the microphone is off")
            self._session.forget()
            self._session.restart()
        elif problem:
            self._mend(problem, now)
        else:
            if self._mended_at is not None and now - self._mended_at > MENDED_AFTER:
                self._mended_at = None
            more = [f"EXTEND_TIMEOUT_USEC={round(30e6)}"] if loading else []
            self._notify("WATCHDOG=1", *more)
        if now - self._saved_at > SAVE_INTERVAL:
            self._saved_at = now
            self._status.keep()

    def _mend(self, problem: str, now: float) -> None:
        """The smallest step first: build the pipeline again; then leave it to the supervisor."""
        if self._mended_at is None:
            self._mended_at = now
            self._status.counters["repairs"] += 1
            self._log("error", f"{problem}: engines and devices are opened again")
            with self._monitor:
                self._health.restarted(now)
            self._abandon()
            self._session.restart()
            return
        self._log("error", f"{problem}: the process ends, for the supervisor to start it again")
        self.failure = SessionError(
            f"the session does not work: {problem}",
            remedy="run it under a supervisor: edgevoice kiosk init",
        )
        self._session.close(hurry=True)
        self.close()
