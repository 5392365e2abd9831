"""Looks after the devices of a session: notices that one has gone, and brings it back.

PortAudio lists devices only when it is initialised, and initialising it again kills every stream
that is open. So a device that has gone is first opened again as it was listed: that is enough where
a sound server stands between (its `default` survives whatever comes and goes behind it), where the
server itself was restarted, and where another program had the device for itself. Only when the
system shows that devices came or went, or when nothing is open that could be disturbed, everything
is closed, listed anew and opened again, here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from edgevoice import events as ev
from edgevoice.clock import Clock
from edgevoice.devices.device_slot import DeviceSlot
from edgevoice.devices.hotplug import Hotplug
from edgevoice.errors import DeviceError

LOOK = 0.25
"""Seconds between two looks."""

RETRY = 0.5
"""Seconds between two attempts to open what is lost."""

RELIST = 1.0
"""Seconds between two times that devices are listed anew; half of that after a sign of change."""

STIRRED = 5.0
"""Seconds for which a sign of change is followed up: the system shows a device before it can be
opened, and its sound server takes a moment longer to know it."""

SLEPT = 1.0
"""Seconds of sleep after which devices are opened again."""

HELD_UP = 5.0
"""Seconds between two looks that mean the program, or the machine, was stopped in between."""

RELEASED = 3.0
"""Seconds that whoever closes a device waits for a look under way."""

REMEDY = "plug it in again: the conversation goes on when it is there"


class SoundSystem(Protocol):
    """What is asked of the sound system."""

    def look_again(self) -> None:
        """List the devices anew; none may be open."""

    def signs(self) -> Hotplug:
        """What can be seen, at next to no cost, of devices having come or gone."""

    def slept(self) -> float:
        """Seconds that the machine has slept so far and that the clock did not count."""


class DeviceWatch:
    """Looks after the places that are added to it, in a thread of its own, while there are any.

    `tell` takes DeviceLost and DeviceRestored. Subscribe it to the bus: it begins with the session,
    and does not disturb who is speaking for a device that is merely better than the present one.
    """

    def __init__(
        self,
        clock: Clock,
        system: SoundSystem,
        tell: Callable[[ev.Event], None],
    ) -> None:
        self._clock = clock
        self._system = system
        self._tell = tell
        self._hearing: set[int] = set()
        """Turns that are being spoken by the user."""
        self._monitor = clock.monitor()
        self._places: list[DeviceSlot[Any]] = []
        self._muted: list[DeviceSlot[Any]] = []
        self._told: dict[str, str | None] = {}
        """The device that was told of last, by kind; None where it was told to be lost."""
        self._running = self._busy = self._woken = False
        self._looked = clock.now()
        self._slept = system.slept()
        self._signs = system.signs()
        self._stirred = -STIRRED
        self._retried = self._listed = -STIRRED

    def __call__(self, event: ev.Event) -> None:
        match event:
            case ev.SessionStarted():
                self._hearing.clear()
                self.start()
            case ev.SpeechStarted():
                self._hearing.add(event.turn)
            case ev.SpeechEnded() | ev.TurnCancelled():
                self._hearing.discard(event.turn)
            case _:
                pass

    def add(self, place: DeviceSlot[Any]) -> None:
        """Look after `place` once `start` was called; what it holds now counts as known."""
        place.wake = self.wake
        place.watched = True
        place.leave = lambda: self._remove(place)
        with self._monitor:
            self._places.append(place)
            if place.present:
                self._told[place.kind] = place.name
            else:
                self._told.pop(place.kind, None)

    def start(self) -> None:
        """Begin to look after what was added, if that has not begun."""
        with self._monitor:
            if self._running or not self._places:
                return
            self._running = True
            self._looked, self._slept = self._clock.now(), self._system.slept()
        self._clock.spawn(self._run, "devices")

    def wake(self) -> None:
        """Look at once."""
        with self._monitor:
            self._woken = True
            self._monitor.notify_all()

    def _remove(self, place: DeviceSlot[Any]) -> None:
        with self._monitor:
            self._places = [p for p in self._places if p is not place]
            self._monitor.notify_all()
            self._monitor.wait_for(lambda: not self._busy, RELEASED)

    def _run(self) -> None:
        while True:
            with self._monitor:
                self._monitor.wait_for(lambda: self._woken or not self._places, LOOK)
                self._woken = False
                if not self._places:
                    self._running = False
                    return
                self._busy = True
                places = list(self._places)
            try:
                self._look(places)
            finally:
                with self._monitor:
                    self._busy = False
                    self._monitor.notify_all()

    def _look(self, places: list[DeviceSlot[Any]]) -> None:
        now, slept = self._clock.now(), self._system.slept()
        away = slept - self._slept
        if now - self._looked > HELD_UP:
            away += now - self._looked
        self._looked, self._slept = now, slept
        if away > SLEPT:
            self._list_anew(places, away)
        for place in places:
            if (error := place.failed()) is not None:
                self._lost(place, error)
                place.clear()
        self._follow_mute(places)
        self._bring_back(places, now)
        for place in places:
            if place.alive and self._told.get(place.kind) != place.name:
                self._told[place.kind] = place.name
                self._tell(ev.DeviceRestored(kind=place.kind, name=place.name))

    def _follow_mute(self, places: list[DeviceSlot[Any]]) -> None:
        """Close what was muted, and open at once what was muted until now."""
        for place in places:
            if place.muted and place.present:
                place.clear()
            elif place in self._muted and not place.muted and not place.present:
                self._fill(place)
        self._muted = [place for place in places if place.muted]

    def _bring_back(self, places: list[DeviceSlot[Any]], now: float) -> None:
        signs = self._system.signs()
        if signs != self._signs:
            moved = signs.defaults != self._signs.defaults
            if moved or signs.devices - self._signs.devices:
                self._stirred = now
            self._signs = signs
            for place in places:
                place.outdated |= moved and not place.wanted
        missing = [place for place in places if not place.present and not place.muted]
        if missing and now - self._retried >= RETRY:
            self._retried = now
            for place in missing:
                self._fill(place)
            missing = [place for place in missing if not place.present]
        stirred = now - self._stirred < STIRRED
        better = any(place.standing_in or place.outdated for place in places if place.present)
        calm = not self._hearing and not any(getattr(place, "busy", False) for place in places)
        alone = bool(missing) and not any(place.present for place in places)
        wanted = alone or (stirred and bool(missing)) or (calm and better and self._has_changed)
        if wanted and now - self._listed >= (RELIST / 2 if stirred else RELIST):
            self._list_anew(places)

    @property
    def _has_changed(self) -> bool:
        """Whether there was a sign of change that has not been followed up to its end."""
        return self._listed - self._stirred < STIRRED

    def _list_anew(self, places: list[DeviceSlot[Any]], slept: float = 0.0) -> None:
        for place in places:
            place.clear(slept)
        self._system.look_again()
        self._listed = self._clock.now()
        for place in places:
            place.outdated = False
            if not place.muted:
                self._fill(place)

    def _fill(self, place: DeviceSlot[Any]) -> None:
        try:
            place.fill()
        except DeviceError as error:
            if place.kind not in self._told or self._told[place.kind] is not None:
                self._lost(place, error)
            return

    def _lost(self, place: DeviceSlot[Any], error: DeviceError) -> None:
        if self._told.get(place.kind, "") is None:
            return
        self._told[place.kind] = None
        self._tell(ev.DeviceLost(kind=place.kind, name=place.name, remedy=REMEDY))
