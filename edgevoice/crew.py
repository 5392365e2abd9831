"""A crew of threads with one lifetime: the first to fail stops all, and none outlives the crew."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType

from edgevoice.clock import Clock, Task

if sys.version_info < (3, 11):
    from exceptiongroup import ExceptionGroup

HASTE = 0.5
"""Seconds that the members have to end in a hurry, as after Ctrl-C."""
SLICE = 0.1


class Crew:
    """Threads started within a `with` block; leaving it stops them and waits for them.

    `stop` is called once, from whichever thread comes first, when a member fails or the block is
    left, and must make every member return soon. If members failed, leaving raises their error, or
    an ExceptionGroup where there are several.
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
        """Start a member; its exceptions become the crew's."""

        def member() -> None:
            try:
                run()
            except Exception as error:
                with self._monitor:
                    self.errors.append(error)
                self.stop()

        self._tasks.append(self._clock.spawn(member, name))

    def hurry(self) -> None:
        """Ask every member to end, and wait for none that is stuck, as in a model being loaded."""
        self._patience = min(self._patience, HASTE)
        self.stop()

    def stop(self) -> None:
        """Ask every member to end; returns at once."""
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
        """Wait until every member has ended by itself or was stopped."""
        since = None
        for task in self._tasks:
            # In slices, so that Ctrl-C reaches a main thread that waits here, and `hurry` any.
            while not task.join(SLICE):
                if not self._stopping:
                    continue
                since = self._clock.now() if since is None else since
                if self._clock.now() - since >= self._patience:
                    # Stuck in native code: a daemon thread, which dies with the program.
                    break

    @property
    def ended(self) -> bool:
        """Whether every member has ended, so that what they used can be taken apart."""
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
            # Ctrl-C or the like: the user does not wait for a model to be loaded.
            self.hurry()
        self.stop()
        self.join()
        if error is None and self.errors:
            if len(self.errors) == 1:
                raise self.errors[0]
            raise ExceptionGroup("several stages failed", self.errors)
