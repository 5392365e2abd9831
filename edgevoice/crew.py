"""A group of threads with one lifetime: the first failure stops all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType

from edgevoice.clock import Clock, Task

if sys.version_info < (3, 11):
    from exceptiongroup import ExceptionGroup

HURRY_TIMEOUT = 0.5
"""Seconds that the threads have to end after `hurry`, for example after Ctrl-C."""
JOIN_INTERVAL = 0.1


class Crew:
    """Threads started in a `with` block; leaving the block stops them and waits for them.

    `stop` is called once, when a thread fails or the block ends, and must make every thread return
    soon; `patience` is the seconds to wait for that. Leaving raises a thread's error, or an
    ExceptionGroup of several.
    """

    def __init__(self, clock: Clock, stop: Callable[[], None], patience: float = 10.0) -> None:
        self._clock = clock
        self._stop = stop
        self._patience = patience
        self._monitor = clock.monitor()
        self._tasks: list[Task] = []
        self._stopping = False
        self.errors: list[Exception] = []

    def start(self, name: str, run: Callable[[], None]) -> None:
        """Start a thread; its exceptions are collected in `errors`."""

        def member() -> None:
            try:
                run()
            except Exception as error:
                with self._monitor:
                    self.errors.append(error)
                self.stop()

        self._tasks.append(self._clock.spawn(member, name))

    def hurry(self) -> None:
        """Ask every thread to end, and do not wait for one that is busy loading a model."""
        self._patience = min(self._patience, HURRY_TIMEOUT)
        self.stop()

    def stop(self) -> None:
        """Ask every thread to end; returns at once."""
        with self._monitor:
            if self._stopping:
                return
            self._stopping = True
        try:
            self._stop()
        except Exception as error:
            with self._monitor:
                self.errors.append(error)

    def join(self) -> None:
        """Wait until every thread has ended, or was stopped and did not end in time."""
        since = None
        for task in self._tasks:
            # In short steps, so that Ctrl-C and `hurry` take effect.
            while not task.join(JOIN_INTERVAL):
                if not self._stopping:
                    continue
                since = self._clock.now() if since is None else since
                if self._clock.now() - since >= self._patience:
                    # Stuck in native code; a daemon thread ends with the process.
                    break

    @property
    def ended(self) -> bool:
        """Whether every thread has ended, so that shared objects can be closed."""
        return all(task.join(0.0) for task in self._tasks)

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None and not issubclass(kind, Exception):
            # After Ctrl-C the user does not want to wait for a model to load.
            self.hurry()
        self.stop()
        self.join()
        if error is None and self.errors:
            if len(self.errors) == 1:
                raise self.errors[0]
            raise ExceptionGroup("several stages failed", self.errors)
