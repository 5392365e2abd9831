"""A bounded, closable queue between two threads that drops obsolete items."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from edgevoice.clock import Monitor

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds up to `size` items; items for which `dead(item)` is true are dropped.

    All mailboxes and turns of a pipeline share a monitor, so that cancelling a turn wakes threads
    that wait to put or get its items.
    """

    def __init__(self, monitor: Monitor, size: int, dead: Callable[[T], bool]) -> None:
        self._monitor = monitor
        self._size = size
        self._dead = dead
        self._items: deque[T] = deque()
        self._closed = False

    def put(self, item: T) -> bool:
        """Add `item`, waiting for room; False if it became dead or the mailbox was closed."""
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
        """Add `item` only if the mailbox is empty; never waits."""
        with self._monitor:
            if self._closed or self._live():
                return False
            self._items.append(item)
            self._monitor.notify_all()
            return True

    def get(self, timeout: float | None = None) -> T | None:
        """The next item that is not dead; None if closed and empty, or after `timeout` seconds."""
        with self._monitor:
            self._monitor.wait_for(lambda: bool(self._live()) or self._closed, timeout)
            if not self._live():
                return None
            item = self._items.popleft()
            self._monitor.notify_all()
            return item

    def wait_while(self, crowded: Callable[[Sequence[T]], bool]) -> None:
        """Wait while `crowded(items)` is true and the mailbox is open."""
        with self._monitor:
            self._monitor.wait_for(lambda: self._closed or not crowded(self._live()))

    def close(self) -> None:
        """Accept no more items: readers get the remaining items, then None; all waits end."""
        with self._monitor:
            self._closed = True
            self._monitor.notify_all()

    @property
    def empty(self) -> bool:
        """Whether it has no items that are not dead."""
        with self._monitor:
            return not self._live()

    @property
    def closed(self) -> bool:
        """Whether it is closed, with no items left that are not dead."""
        with self._monitor:
            return self._closed and not self._live()

    def _live(self) -> deque[T]:
        while self._items and self._dead(self._items[0]):
            self._items.popleft()
        return self._items
