"""A mailbox between two threads: a bounded queue that can be closed, and that skips dead items."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from edgevoice.clock import Monitor

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds up to `size` items; `dead(item)` tells the ones to be dropped instead of delivered.

    All mailboxes and turns of one pipeline share a monitor, so a turn's verdict wakes whoever is
    waiting to post or to read something of that turn.
    """

    def __init__(self, monitor: Monitor, size: int, dead: Callable[[T], bool]) -> None:
        self._monitor = monitor
        self._size = size
        self._dead = dead
        self._items: deque[T] = deque()
        self._closed = False

    def put(self, item: T) -> bool:
        """Post `item`, waiting for room; false if it died or the mailbox was closed first."""
        with self._monitor:
            self._monitor.wait_for(
                lambda: self._closed or self._dead(item) or len(self._live()) < self._size
            )
            if self._closed or self._dead(item):
                return False
            self._items.append(item)
            self._monitor.notify_all()
            return True

    def offer(self, item: T) -> bool:
        """Post `item` only if nothing is waiting here; never waits."""
        with self._monitor:
            if self._closed or self._live():
                return False
            self._items.append(item)
            self._monitor.notify_all()
            return True

    def get(self, timeout: float | None = None) -> T | None:
        """The next living item; None when closed and empty, or after `timeout` seconds."""
        with self._monitor:
            self._monitor.wait_for(lambda: bool(self._live()) or self._closed, timeout)
            if not self._live():
                return None
            item = self._items.popleft()
            self._monitor.notify_all()
            return item

    def wait_while(self, crowded: Callable[[Sequence[T]], bool]) -> None:
        """Wait as long as `crowded(living items)` holds and the mailbox is open."""
        with self._monitor:
            self._monitor.wait_for(lambda: self._closed or not crowded(self._live()))

    def close(self) -> None:
        """Accept no more items: readers get the rest, then None, and blocked threads continue."""
        with self._monitor:
            self._closed = True
            self._monitor.notify_all()

    @property
    def empty(self) -> bool:
        """Whether nothing living waits here."""
        with self._monitor:
            return not self._live()

    @property
    def closed(self) -> bool:
        """Closed, and nothing living left in it."""
        with self._monitor:
            return self._closed and not self._live()

    def _live(self) -> deque[T]:
        while self._items and self._dead(self._items[0]):
            self._items.popleft()
        return self._items
