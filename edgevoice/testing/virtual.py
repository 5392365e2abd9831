"""Virtual time: the whole pipeline in milliseconds, and the same trace every time.

Exactly one thread runs at a time. Whoever waits hands over to the next thread, in a fixed order,
that has something to do; when none has, time jumps to the earliest deadline. When no thread has
something to do and none has a deadline, the pipeline is deadlocked and the waiting test is told so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from edgevoice.clock import Monitor, Task


class DeadlockError(AssertionError):
    """Every thread waits for another one, and none for time."""


class _Task:
    def __init__(self, clock: VirtualClock, name: str) -> None:
        self.name = name
        self.done = False
        self.ready: Callable[[], bool] | None = None
        self.deadline: float | None = None
        self.wake = threading.Semaphore(0)
        self._clock = clock

    def runnable(self, now: float) -> bool:
        if self.done:
            return False
        if self.deadline is not None and self.deadline <= now:
            return True
        return self.ready is None or self.ready()

    def join(self, timeout: float | None = None) -> bool:
        return self._clock.wait(lambda: self.done, timeout)


class _Monitor:
    """Only one thread runs at a time and it never loses its turn unasked: nothing to lock."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def __enter__(self) -> object:
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def wait_for(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        return self._clock.wait(ready, timeout)

    def notify_all(self) -> None:
        return None


class VirtualClock:
    """A Clock whose seconds pass only while everyone waits. The thread that makes it is a member.

    `limit` is the session time in seconds at which a test that never ends is given up.
    """

    def __init__(self, limit: float = 3600.0) -> None:
        self._now = 0.0
        self._limit = limit
        self._main = _Task(self, "main")
        self._tasks = [self._main]
        self._current = self._main
        self._failure: str | None = None

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.wait(lambda: False, max(0.0, seconds))

    def monitor(self) -> Monitor:
        return _Monitor(self)

    def spawn(self, run: Callable[[], None], name: str) -> Task:
        task = _Task(self, name)

        def body() -> None:
            task.wake.acquire()
            try:
                run()
            finally:
                task.done = True
                self._hand_over(task)

        self._tasks.append(task)
        threading.Thread(target=body, name=name, daemon=True).start()
        return task

    def wait(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        """Let the others run until `ready()` or `timeout` virtual seconds pass."""
        me = self._current
        me.ready = ready
        me.deadline = None if timeout is None else self._now + timeout
        self._hand_over(me)
        if me is not self._main or self._failure is None:
            me.ready = me.deadline = None
            return ready()
        raise DeadlockError(self._failure)

    def _hand_over(self, me: _Task) -> None:
        following = self._next(me)
        if following is me:
            return
        self._current = following
        following.wake.release()
        if not me.done:
            me.wake.acquire()

    def _next(self, me: _Task) -> _Task:
        self._tasks = [t for t in self._tasks if not t.done or t is me]
        place = self._tasks.index(me)
        order = self._tasks[place + 1 :] + self._tasks[: place + 1]
        for task in order:
            if task.runnable(self._now):
                return task
        waiting = [t for t in order if not t.done and t.deadline is not None]
        if waiting:
            first = min(waiting, key=lambda t: t.deadline or 0.0)
            self._now = max(self._now, first.deadline or 0.0)
            if self._now <= self._limit:
                return first
        names = ", ".join(t.name for t in order if not t.done)
        self._failure = (
            f"virtual time passed {self._limit} s"
            if waiting
            else f"deadlock at {self._now:.3f} s: {names} all wait for each other"
        )
        return self._main
