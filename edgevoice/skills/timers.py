"""Timers, alarms and reminders: kept on disk, by the time on the wall.

What falls due is an absolute time, so that sleep and a restart of the machine change nothing. The
file is read again when another process has changed it: `edgevoice timers` and `edgevoice ask` share
it with a session.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from edgevoice import files
from edgevoice.errors import StorageError
from edgevoice.outside import Malformed, from_json, read

TimerKind = Literal["timer", "alarm", "reminder"]
MOST_TIMERS = 100


class Timer(Struct, frozen=True, forbid_unknown_fields=True):
    """A timer, an alarm or a reminder, with a `number` of its own.

    `due` is the time in seconds since 1970 (UTC) at which it rings, `seconds` its whole length.
    While it is paused, `left` are its remaining seconds. `text` is its name, or what to remember;
    `language` the one to announce it in.
    """

    number: int
    kind: TimerKind
    due: float
    seconds: float
    text: str = ""
    language: str = "en"
    left: float | None = None

    def remaining(self, now: float) -> float:
        """Seconds until it rings, at least 0."""
        return max(0.0, self.due - now) if self.left is None else self.left


class TooManyTimers(Exception):
    """There are as many timers as are kept."""


class Timers:
    """The timers of one user; may be called from any thread.

    `path`: their file, which only the owner can read; None: they are forgotten at the end.
    `now`: the time in seconds since 1970.
    """

    def __init__(self, path: Path | None, now: Callable[[], float]) -> None:
        self._path = path
        self.now = now
        self._timers: tuple[Timer, ...] = ()
        self._seen: tuple[int, int] | None = None

    def all(self) -> Sequence[Timer]:
        """All timers, the next one first. Raises StorageError."""
        self._look()
        return sorted(self._timers, key=lambda timer: (timer.left is not None, timer.due))

    def of(self, kind: TimerKind) -> list[Timer]:
        """The timers of one kind, the next one first. Raises StorageError."""
        return [timer for timer in self.all() if timer.kind == kind]

    def due(self) -> list[Timer]:
        """Those that should ring. Raises StorageError."""
        now = self.now()
        return [timer for timer in self.all() if timer.left is None and timer.due <= now]

    def add(self, kind: TimerKind, due: float, text: str = "", language: str = "en") -> Timer:
        """Set one. Raises TooManyTimers, StorageError."""
        with self._changing():
            if len(self._timers) >= MOST_TIMERS:
                raise TooManyTimers
            number = max((timer.number for timer in self._timers), default=0) + 1
            timer = Timer(number, kind, due, due - self.now(), text, language)
            self._timers = (*self._timers, timer)
        return timer

    def remove(self, numbers: Sequence[int]) -> list[Timer]:
        """Cancel them; returns those that there were. Raises StorageError."""
        if not numbers:
            return []
        with self._changing():
            gone = [timer for timer in self._timers if timer.number in numbers]
            self._timers = tuple(timer for timer in self._timers if timer not in gone)
        return gone

    def pause(self, timer: Timer, on: bool) -> None:
        """Pause one, or let it go on. Raises StorageError."""
        now = self.now()
        if on and timer.left is None:
            self._replace(msgspec.structs.replace(timer, left=timer.remaining(now)))
        elif not on and timer.left is not None:
            self._replace(msgspec.structs.replace(timer, left=None, due=now + timer.left))

    def lengthen(self, timer: Timer, seconds: float) -> Timer:
        """Let one ring later, or earlier; at once at the earliest. Raises StorageError."""
        now = self.now()
        left = max(0.0, timer.remaining(now) + seconds)
        if timer.left is not None:
            changed = msgspec.structs.replace(timer, left=left, seconds=timer.seconds + seconds)
        else:
            changed = msgspec.structs.replace(
                timer, due=now + left, seconds=timer.seconds + seconds
            )
        self._replace(changed)
        return changed

    def _replace(self, timer: Timer) -> None:
        with self._changing():
            self._timers = tuple(
                timer if other.number == timer.number else other for other in self._timers
            )

    @contextmanager
    def _changing(self) -> Iterator[None]:
        if self._path is None:
            yield
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._failure(error) from None
        try:
            files.lock(handle, wait=True)
            self._look()
            yield
            data = msgspec.json.format(msgspec.json.encode(self._timers), indent=1).decode()
            files.replace(self._path, [data], private=True)
            self._seen = self._stamp()
        except OSError as error:
            raise self._failure(error) from None
        finally:
            os.close(handle)

    def _look(self) -> None:
        """Read the file if it has changed."""
        if self._path is None or (stamp := self._stamp()) == self._seen:
            return
        try:
            timers = from_json(read(self._path), tuple[Timer, ...]) if stamp else ()
        except OSError as error:
            raise self._failure(error) from None
        except Malformed as error:
            raise StorageError(
                f"the timers cannot be read: {error}",
                where=str(self._path),
                remedy="delete the file, and set the timers again",
            ) from None
        self._timers, self._seen = timers, stamp

    def _stamp(self) -> tuple[int, int] | None:
        assert self._path is not None
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def _failure(self, error: OSError) -> StorageError:
        return StorageError(
            f"the timers cannot be kept: {error.strerror}",
            where=str(self._path),
            remedy="free some space, or set skills.keep_timers=false",
        )
