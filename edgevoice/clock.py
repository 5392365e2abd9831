"""Time, waiting and threads as an object, so that tests can run the pipeline on virtual time.

Code in the pipeline never calls `time` or `threading` itself: it reads, waits and spawns through a
Clock. `SystemClock` is real; `edgevoice.testing.virtual.VirtualClock` runs one thread at a time and
jumps to the next deadline whenever all of them wait, so a session takes milliseconds and gives the
same trace every time.
"""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable
from typing import Protocol


class Monitor(Protocol):
    """A lock for shared state, with a way to wait for changes."""

    def __enter__(self) -> object: ...

    def __exit__(self, *exc: object) -> None: ...

    def wait_for(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        """Release the lock until `ready()` or for `timeout` seconds; returns `ready()`."""

    def notify_all(self) -> None:
        """Wake all waiting threads; the lock must be held."""


class Task(Protocol):
    """A spawned thread."""

    name: str

    def join(self, timeout: float | None = None) -> bool:
        """Wait for its end; true if it has ended."""


class Clock(Protocol):
    """Session time in seconds, from 0 when the clock is made."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...

    def monitor(self) -> Monitor: ...

    def spawn(self, run: Callable[[], None], name: str) -> Task: ...


class _Monitor:
    def __init__(self) -> None:
        self._condition = threading.Condition()

    def __enter__(self) -> object:
        return self._condition.__enter__()

    def __exit__(self, *exc: object) -> None:
        try:
            self._condition.release()
        except RuntimeError:
            # A signal may interrupt a wait before the lock is acquired again.
            if exc[0] is None:
                raise

    def wait_for(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        return self._condition.wait_for(ready, timeout)

    def notify_all(self) -> None:
        self._condition.notify_all()


class _Thread:
    def __init__(self, run: Callable[[], None], name: str) -> None:
        self.name = name
        self._ended = threading.Event()

        def run_to_its_end() -> None:
            try:
                run()
            finally:
                self._ended.set()

        # A daemon, so that an engine stuck in native code cannot keep the process alive.
        self._thread = threading.Thread(target=run_to_its_end, name=name, daemon=True)
        self._thread.start()

    def join(self, timeout: float | None = None) -> bool:
        # A signal that ends Thread.join by an exception makes it believe that the thread has ended.
        if self._ended.wait(timeout):
            self._thread.join()
            return True
        return False


def local_time() -> datetime.datetime:
    """The date and time on the wall of the user."""
    return datetime.datetime.now()


class SystemClock:
    """The machine's monotonic clock, from 0 at its creation."""

    def __init__(self) -> None:
        self._origin = time.monotonic()

    def now(self) -> float:
        return time.monotonic() - self._origin

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)

    def monitor(self) -> Monitor:
        return _Monitor()

    def spawn(self, run: Callable[[], None], name: str) -> Task:
        return _Thread(run, name)
