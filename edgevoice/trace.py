"""The event stream as JSON lines, and what is kept of it in memory for whoever asks later.

docs/trace.md describes the format. Nothing here is written unless the user asked for it.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

import msgspec

from edgevoice import compatibility, files
from edgevoice import events as ev
from edgevoice.encoding import json_bytes
from edgevoice.errors import StorageError, UsageError
from edgevoice.outside import Malformed, from_json

KEPT = 100_000
"""Events kept in memory at most: several hours of conversation."""


BLOCK = 1_000_000
"""Bytes that are read at once in search of the last line of a trace."""
LONGEST = 16 << 20
"""Bytes of a line beyond which it is no event; a long reply has some ten thousand."""


class TraceFile:
    """A subscriber that writes every event to `path` as it happens, one JSON object a line.

    A failure to write (a full disk) does not disturb the conversation: writing stops there, and
    `close` raises it. A file that another session is writing is refused with a StorageError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._failure: OSError | None = None
        try:
            handle = files.private(str(path), os.O_WRONLY | os.O_CREAT)
            self._file: TextIO = os.fdopen(handle, "w", encoding="utf-8")
            # Any number of sessions may write to a device or a pipe, such as /dev/null.
            if stat.S_ISREG(os.fstat(handle).st_mode):
                self._have_alone(handle)
        except OSError as error:
            raise _unwritable(path, error) from None

    def _have_alone(self, handle: int) -> None:
        if not files.lock(handle):
            self._file.close()
            raise StorageError(
                "another session is writing its trace to this file",
                where=str(self._path),
                remedy="name another file with `--trace FILE`, or end that session",
            )
        # Only now: what is there may have been the other session's.
        os.ftruncate(handle, 0)

    def __call__(self, event: ev.Event) -> None:
        if self._failure is not None or self._file.closed:
            return
        try:
            self._file.write(line(event))
            if not isinstance(event, ev.Level | ev.Resources | ev.TokenGenerated):
                self._file.flush()
        except OSError as error:
            self._failure = error

    def close(self) -> None:
        """Finish the file. Raises StorageError if anything could not be written."""
        try:
            self._file.close()
        except OSError as error:
            self._failure = self._failure or error
        if self._failure is not None:
            raise _unwritable(self._path, self._failure)


class Recorder:
    """A subscriber that keeps the session's events in memory only, the newest `KEPT` of them."""

    def __init__(self) -> None:
        self.events: deque[ev.Event] = deque(maxlen=KEPT)

    def __call__(self, event: ev.Event) -> None:
        self.events.append(event)

    def save(self, path: Path) -> None:
        """Write what is kept to `path`, whole or not at all. Raises StorageError."""
        try:
            files.replace(path, map(line, list(self.events)), private=True)
        except OSError as error:
            raise _unwritable(path, error) from None


def line(event: ev.Event) -> str:
    """One event as one line of JSON."""
    return json_bytes(event).decode() + "\n"


def read(path: Path) -> Iterator[ev.Event]:
    """The events of a trace. Raises UsageError naming the line that is not one."""
    try:
        with path.open("rb") as file:
            for number, text in enumerate(lines(file), 1):
                try:
                    yield from_json(compatibility.event(whole(text)), ev.AnyEvent)  # type: ignore[arg-type]
                except Malformed as error:
                    raise UsageError(
                        f"not an event of a trace: {error}",
                        where=f"{path}, line {number}",
                        remedy="write the trace again with `edgevoice run --trace FILE`",
                    ) from None
    except OSError as error:
        raise UsageError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="check the path"
        ) from None


def lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; of one that is too long only its beginning, one byte more than LONGEST
    allows."""
    while line := file.readline(LONGEST + 1):
        yield line
        rest = line
        while len(rest) > LONGEST and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST + 1)


def whole(line: bytes) -> bytes:
    """The line, if it is not too long. Raises Malformed."""
    if len(line) > LONGEST:
        raise Malformed(f"the line has more than {LONGEST:,} bytes")
    return line


def recover(path: Path) -> Path | None:
    """Save a trace that has no last event, as its program was killed, from being overwritten.

    Returns where it is now, without a line that was not written to its end; None where `path` is
    no such trace.
    """
    path = Path(os.path.realpath(path))
    if not path.is_file():
        return None
    with contextlib.suppress(OSError):
        with path.open("r+b") as file:
            if not files.lock(file.fileno()):
                return None
            if _type(file.readline(LONGEST)) != "session_started":
                return None
            size = file.seek(0, os.SEEK_END)
            begin, end = _line_start(file, size), size
            kind = _type_between(file, begin, end)
            if not kind:
                # Nothing, or the beginning of a line: the last whole one stands before it.
                begin, end = _line_start(file, begin - 1), begin
                kind = _type_between(file, begin, end)
            if kind == "session_ended":
                return None
            if end < size:
                file.truncate(end)
        return files.set_aside(path, path.name)
    return None


def _line_start(file: BinaryIO, end: int) -> int:
    """Where the line begins that reaches to `end`, however long it is."""
    while end > 0:
        begin = max(0, end - BLOCK)
        file.seek(begin)
        if found := file.read(end - begin).rfind(b"\n") + 1:
            return begin + found
        end = begin
    return 0


def _type_between(file: BinaryIO, begin: int, end: int) -> str:
    """The type of the event that stands there; empty where none does."""
    if end - begin > LONGEST:
        return ""
    file.seek(begin)
    return _type(file.read(end - begin))


def _type(line: bytes) -> str:
    with contextlib.suppress(Malformed):
        return from_json(line, _Head).type
    return ""


class _Head(msgspec.Struct):
    type: str


def _unwritable(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"the trace cannot be written: {error.strerror}",
        where=str(path),
        remedy="free some space or choose another place with `--trace FILE`",
    )
