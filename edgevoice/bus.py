"""The event bus: stamps every event and passes it to all subscribers.

Subscribers are called in the emitting thread, in order of subscription, and must be quick: longer
work belongs in a queue of their own. A subscriber that raises is dropped, so that a broken display
cannot stop a turn.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from edgevoice.clock import Clock
from edgevoice.events import Event

Subscriber = Callable[[Event], None]


class Bus:
    """Stamps events with session time and a consecutive number, and delivers them in that order."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._monitor = clock.monitor()
        self._subscribers: list[Subscriber] = []
        self._seq = 0
        self.dropped: list[tuple[Subscriber, Exception]] = []
        """Subscribers that raised, and what they raised."""

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber` with every further event; returns a function that unsubscribes it."""
        with self._monitor:
            self._subscribers.append(subscriber)
        return lambda: self._unsubscribe(subscriber)

    def _unsubscribe(self, subscriber: Subscriber) -> None:
        with self._monitor:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)

    def emit(self, event: Event) -> None:
        """Stamp `event` and pass it to all subscribers before returning."""
        # Under the lock, so that subscribers get events in the order of their numbers.
        with self._monitor:
            stamped = replace(event, t=self.clock.now(), seq=self._seq)
            self._seq += 1
            self._deliver(stamped)

    def pass_on(self, event: Event) -> None:
        """Pass an event to all subscribers that the bus of another machine has stamped."""
        with self._monitor:
            self._deliver(event)

    def _deliver(self, event: Event) -> None:
        for subscriber in list(self._subscribers):
            try:
                subscriber(event)
            except Exception as error:
                self._subscribers.remove(subscriber)
                self.dropped.append((subscriber, error))
