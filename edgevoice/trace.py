"""Write and read traces: events as JSON lines.

docs/trace.md describes the format. A trace is written only if the user asks for it.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

import msgspec

from edgevoice import compatibility, files
from edgevoice import events as ev
from edgevoice.encoding import json_bytes
from edgevoice.errors import StorageError, UsageError
from edgevoice.outside import Malformed, from_json
from edgevoice.transcript import markdown

MAX_EVENTS = 100_000
"""Maximum events in memory: several hours of conversation."""

SEARCH_BYTES = 1_000_000
"""Bytes that are read at a time to find the last line of a trace."""

MAX_EVENT_BYTES = 16 << 20
"""Maximum bytes of a line with an event; a long reply has about ten thousand."""


class TraceFile:
    """A subscriber that writes each event to `path`, as one line of JSON.

    If writing fails, for example on a full disk, it stops without disturbing the conversation, and
    `close` raises the error. Raises StorageError if another session writes this file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._failure: OSError | None = None
        try:
            handle = files.private(str(path), os.O_WRONLY | os.O_CREAT)
            self._file: TextIO = os.fdopen(handle, "w", encoding="utf-8")
            # Any number of sessions may write to a device or a pipe, such as /dev/null.
            if stat.S_ISREG(os.fstat(handle).st_mode):
                self._lock(handle)
        except OSError as error:
            raise _unwritable(path, error) from None

    def _lock(self, handle: int) -> None:
        if not files.lock(handle):
            self._file.close()
            raise StorageError(
                "another session is writing its trace to this file",
                where=str(self._path),
                remedy="name another file with `--trace FILE`, or end that session",
            )
        # Not before: the content may belong to another session.
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
    """A subscriber that keeps the newest MAX_EVENTS events in memory."""

    def __init__(self) -> None:
        self.events: deque[ev.Event] = deque(maxlen=MAX_EVENTS)

    def __call__(self, event: ev.Event) -> None:
        self.events.append(event)

    def save(self, path: Path) -> None:
        """Write the transcript if `path` ends in .md, else the events as JSON lines; completely or
        not at all. Only the owner can read the file. Raises StorageError.
        """
        events = list(self.events)
        if path.suffix.lower() == ".md":
            save(path, markdown(events), "the transcript")
        else:
            save(path, map(line, events), "the trace")


def save(path: Path, text: Iterable[str], what: str) -> None:
    """Write `text` to `path`, completely or not at all, readable only by the user.

    Raises StorageError, in which `what` cannot be written.
    """
    try:
        files.replace(path, text, private=True)
    except OSError as error:
        raise _unwritable(path, error, what, "another name") from None


def line(event: ev.Event) -> str:
    """One event as one line of JSON."""
    return json_bytes(event).decode() + "\n"


def read(path: Path) -> Iterator[ev.Event]:
    """The events of a trace. Raises UsageError with the number of an invalid line."""
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
    """The lines of a file; of a line that is too long, only its first MAX_EVENT_BYTES + 1 bytes."""
    while line := file.readline(MAX_EVENT_BYTES + 1):
        yield line
        rest = line
        while len(rest) > MAX_EVENT_BYTES and not rest.endswith(b"\n"):
            rest = file.readline(MAX_EVENT_BYTES + 1)


def whole(line: bytes) -> bytes:
    """The line, if it is not too long. Raises Malformed."""
    if len(line) > MAX_EVENT_BYTES:
        raise Malformed(f"the line has more than {MAX_EVENT_BYTES:,} bytes")
    return line


def recover(path: Path) -> Path | None:
    """Rename the trace of a program that was killed, so that it is not overwritten.

    Its last event is not `session_ended`. An incomplete last line is removed. Returns the new path,
    or None if `path` is not such a trace.
    """
    path = Path(os.path.realpath(path))
    if not path.is_file():
        return None
    with contextlib.suppress(OSError):
        with path.open("r+b") as file:
            if not files.lock(file.fileno()):
                return None
            if _type(file.readline(MAX_EVENT_BYTES)) != "session_started":
                return None
            size = file.seek(0, os.SEEK_END)
            begin, end = _line_start(file, size), size
            kind = _type_between(file, begin, end)
            if not kind:
                # An incomplete line: the last complete one is before it.
                begin, end = _line_start(file, begin - 1), begin
                kind = _type_between(file, begin, end)
            if kind == "session_ended":
                return None
            if end < size:
                file.truncate(end)
        return files.set_aside(path, path.name)
    return None


def _line_start(file: BinaryIO, end: int) -> int:
    """The offset of the line that ends at `end`."""
    while end > 0:
        begin = max(0, end - SEARCH_BYTES)
        file.seek(begin)
        if found := file.read(end - begin).rfind(b"\n") + 1:
            return begin + found
        end = begin
    return 0


def _type_between(file: BinaryIO, begin: int, end: int) -> str:
    """The type of the event at these offsets; empty if there is none."""
    if end - begin > MAX_EVENT_BYTES:
        return ""
    file.seek(begin)
    return _type(file.read(end - begin))


def _type(line: bytes) -> str:
    with contextlib.suppress(Malformed):
        return from_json(line, _Head).type
    return ""


class _Head(msgspec.Struct):
    type: str


def _unwritable(
    path: Path, error: OSError, what: str = "the trace", place: str = "`--trace FILE`"
) -> StorageError:
    return StorageError(
        f"{what} cannot be written: {error.strerror}",
        where=str(path),
        remedy=f"free some space or choose another place with {place}",
    )
