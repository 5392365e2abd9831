"""Monitor a session's devices: detect that a device is lost, and reopen it.

PortAudio lists devices only when it is initialised, and initialising it again closes every open
stream. So a lost device is first reopened from the old list. That is enough behind a sound server,
after the server restarts, and when another program held the device. Devices are closed, listed
again and reopened only when the system reports a change or when no device is open.
Measured in devices-2026-11.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from edgevoice import events as ev
from edgevoice.clock import Clock
from edgevoice.devices.device_slot import DeviceSlot
from edgevoice.devices.hotplug import Hotplug
from edgevoice.errors import DeviceError

CHECK_INTERVAL = 0.25
"""Seconds between two checks."""

RETRY_INTERVAL = 0.5
"""Seconds between two attempts to open a lost device."""

RELIST_INTERVAL = 1.0
"""Seconds between two listings of the devices; half of that after a hotplug change."""

CHANGE_WINDOW = 5.0
"""Seconds for which devices are listed again after a hotplug change: the system reports a device
before the sound server can open it."""

MIN_SUSPENSION = 1.0
"""Seconds of suspension after which devices are reopened."""

MAX_CHECK_INTERVAL = 5.0
"""Seconds between two checks above which the program counts as suspended in between."""

REMOVAL_TIMEOUT = 3.0
"""Seconds that closing a slot waits for a check in progress."""

LOST_REMEDY = "plug it in again; the conversation continues once it is back"


class SoundSystem(Protocol):
    """The sound system as DeviceWatch needs it."""

    def relist_devices(self) -> None:
        """List the devices again; none may be open."""

    def hotplug_state(self) -> Hotplug:
        """The system's devices at little cost; a different result means a change."""

    def seconds_suspended(self) -> float:
        """Seconds that the machine has been suspended so far and that the clock did not count."""


class DeviceWatch:
    """Monitors the slots added to it, in a thread of its own, while there are any.

    `notify` receives DeviceLost and DeviceRestored. Subscribe the watch to the bus: it starts with
    the session, and does not change to a better device while the user or the assistant speaks.
    """

    def __init__(
        self,
        clock: Clock,
        system: SoundSystem,
        notify: Callable[[ev.Event], None],
    ) -> None:
        self._clock = clock
        self._system = system
        self._notify = notify
        self._speaking_turns: set[int] = set()
        """Ids of the turns in which the user is speaking."""
        self._monitor = clock.monitor()
        self._slots: list[DeviceSlot[Any]] = []
        self._muted: list[DeviceSlot[Any]] = []
        self._reported: dict[str, str | None] = {}
        """The device reported last, by kind; None after it was reported lost."""
        self._running = self._busy = self._check_requested = False
        self._checked = clock.now()
        self._slept = system.seconds_suspended()
        self._hotplug_state = system.hotplug_state()
        self._changed_at = -CHANGE_WINDOW
        self._retried_at = self._listed_at = -CHANGE_WINDOW

    def __call__(self, event: ev.Event) -> None:
        match event:
            case ev.SessionStarted():
                self._speaking_turns.clear()
                self.start()
            case ev.SpeechStarted():
                self._speaking_turns.add(event.turn)
            case ev.SpeechEnded() | ev.TurnCancelled():
                self._speaking_turns.discard(event.turn)
            case _:
                pass

    def add(self, slot: DeviceSlot[Any]) -> None:
        """Monitor `slot` from `start` on; its present device counts as reported."""
        slot.request_check = self.request_check
        slot.watched = True
        slot.unwatch = lambda: self._remove(slot)
        with self._monitor:
            self._slots.append(slot)
            if slot.present:
                self._reported[slot.kind] = slot.name
            else:
                self._reported.pop(slot.kind, None)

    def start(self) -> None:
        """Start monitoring, if slots were added and monitoring has not started."""
        with self._monitor:
            if self._running or not self._slots:
                return
            self._running = True
            self._checked, self._slept = self._clock.now(), self._system.seconds_suspended()
        self._clock.spawn(self._run, "devices")

    def request_check(self) -> None:
        """Check at once."""
        with self._monitor:
            self._check_requested = True
            self._monitor.notify_all()

    def _remove(self, slot: DeviceSlot[Any]) -> None:
        with self._monitor:
            self._slots = [each for each in self._slots if each is not slot]
            self._monitor.notify_all()
            self._monitor.wait_for(lambda: not self._busy, REMOVAL_TIMEOUT)

    def _run(self) -> None:
        while True:
            with self._monitor:
                self._monitor.wait_for(
                    lambda: self._check_requested or not self._slots, CHECK_INTERVAL
                )
                self._check_requested = False
                if not self._slots:
                    self._running = False
                    return
                self._busy = True
                slots = list(self._slots)
            try:
                self._check(slots)
            finally:
                with self._monitor:
                    self._busy = False
                    self._monitor.notify_all()

    def _check(self, slots: list[DeviceSlot[Any]]) -> None:
        now, suspended = self._clock.now(), self._system.seconds_suspended()
        away = suspended - self._slept
        if now - self._checked > MAX_CHECK_INTERVAL:
            away += now - self._checked
        self._checked, self._slept = now, suspended
        if away > MIN_SUSPENSION:
            self._relist(slots, away)
        for slot in slots:
            if (error := slot.failed()) is not None:
                self._report_lost(slot, error)
                slot.empty()
        self._follow_mute(slots)
        self._bring_back(slots, now)
        for slot in slots:
            if slot.alive and self._reported.get(slot.kind) != slot.name:
                self._reported[slot.kind] = slot.name
                self._notify(ev.DeviceRestored(kind=slot.kind, name=slot.name))

    def _follow_mute(self, slots: list[DeviceSlot[Any]]) -> None:
        """Close the devices that are now muted, and open those no longer muted."""
        for slot in slots:
            if slot.muted and slot.present:
                slot.empty()
            elif slot in self._muted and not slot.muted and not slot.present:
                self._fill(slot)
        self._muted = [slot for slot in slots if slot.muted]

    def _bring_back(self, slots: list[DeviceSlot[Any]], now: float) -> None:
        hotplug_state = self._system.hotplug_state()
        if hotplug_state != self._hotplug_state:
            moved = hotplug_state.defaults != self._hotplug_state.defaults
            if moved or hotplug_state.devices - self._hotplug_state.devices:
                self._changed_at = now
            self._hotplug_state = hotplug_state
            for slot in slots:
                slot.outdated |= moved and not slot.configured
        missing = [slot for slot in slots if not slot.present and not slot.muted]
        if missing and now - self._retried_at >= RETRY_INTERVAL:
            self._retried_at = now
            for slot in missing:
                self._fill(slot)
            missing = [slot for slot in missing if not slot.present]
        recently_changed = now - self._changed_at < CHANGE_WINDOW
        better = any(slot.is_fallback or slot.outdated for slot in slots if slot.present)
        idle = not self._speaking_turns and not any(getattr(slot, "busy", False) for slot in slots)
        for slot in slots if idle else ():
            if slot.wants_reopening():
                slot.empty()
                self._fill(slot)
        none_present = bool(missing) and not any(slot.present for slot in slots)
        relist = (
            none_present
            or (recently_changed and bool(missing))
            or (idle and better and self._change_pending)
        )
        if relist and now - self._listed_at >= (
            RELIST_INTERVAL / 2 if recently_changed else RELIST_INTERVAL
        ):
            self._relist(slots)

    @property
    def _change_pending(self) -> bool:
        """Whether a hotplug change still requires another listing."""
        return self._listed_at - self._changed_at < CHANGE_WINDOW

    def _relist(self, slots: list[DeviceSlot[Any]], suspended: float = 0.0) -> None:
        for slot in slots:
            slot.empty(suspended)
        self._system.relist_devices()
        self._listed_at = self._clock.now()
        for slot in slots:
            slot.outdated = False
            if not slot.muted:
                self._fill(slot)

    def _fill(self, slot: DeviceSlot[Any]) -> None:
        try:
            slot.fill()
        except DeviceError as error:
            if slot.kind not in self._reported or self._reported[slot.kind] is not None:
                self._report_lost(slot, error)
            return

    def _report_lost(self, slot: DeviceSlot[Any], error: DeviceError) -> None:
        if self._reported.get(slot.kind, "") is None:
            return
        self._reported[slot.kind] = None
        self._notify(ev.DeviceLost(kind=slot.kind, name=slot.name, remedy=LOST_REMEDY))
