"""The one bus: stamps every event once and hands it to everyone who listens.

Subscribers are called in the emitting thread, in order of subscription, and must be quick: a
subscriber with work to do takes the event away to its own queue. One that raises is dropped, so
that a broken display cannot cost a turn.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from edgevoice.clock import Clock
from edgevoice.events import Event

Subscriber = Callable[[Event], None]


class Bus:
    """Stamps events with session time and a gapless number, and fans them out in that order."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._monitor = clock.monitor()
        self._subscribers: list[Subscriber] = []
        self._seq = 0
        self.dropped: list[tuple[Subscriber, Exception]] = []
        """Subscribers that raised, and what they raised."""

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber` with every event from now on; returns the way to stop that."""
        with self._monitor:
            self._subscribers.append(subscriber)
        return lambda: self._unsubscribe(subscriber)

    def _unsubscribe(self, subscriber: Subscriber) -> None:
        with self._monitor:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)

    def emit(self, event: Event) -> None:
        """Stamp `event` and hand it to all subscribers before returning."""
        # Under the lock, so that every subscriber sees the same order as the numbers.
        with self._monitor:
            stamped = replace(event, t=self.clock.now(), seq=self._seq)
            self._seq += 1
            for subscriber in list(self._subscribers):
                try:
                    subscriber(stamped)
                except Exception as error:
                    self._subscribers.remove(subscriber)
                    self.dropped.append((subscriber, error))
