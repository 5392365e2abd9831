"""Events as trace-event JSON, which Perfetto and chrome://tracing show.

Each session is a process with a thread for each track. Work is a complete event (`ph` X), a moment
an instant (i), a quantity a counter (C). Times are whole microseconds, rounded at their edges, so
that spans still add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from edgevoice import events as ev
from edgevoice.bench.trace.tracks import TraceDrawing, TracePiece, drawn
from edgevoice.encoding import json_bytes

PROCESS = 1000
"""Distance of process numbers. Viewers want unique thread numbers, and take the thread with its
process's number for the main one."""


def document(events: Iterable[ev.Event]) -> list[str]:
    """The JSON, an event a line."""
    sessions = [drawn(session) for session in _sessions(events)]
    entries = [
        json_bytes(entry).decode()
        for number, session in enumerate(sessions, 1)
        for entry in _process(number, session, len(sessions))
    ]
    started = next((session.started for session in sessions if session.started), None)
    about = json_bytes(_about(started) if started else {}).decode()
    body = [f"{entry},\n" for entry in entries[:-1]] + [f"{entry}\n" for entry in entries[-1:]]
    return ['{"traceEvents":[\n', *body, f'],"displayTimeUnit":"ms","otherData":{about}}}\n']


def micros(seconds: float) -> int:
    """Whole microseconds."""
    return round(seconds * 1_000_000)


def lanes(slices: Iterable[TracePiece]) -> list[list[tuple[int, int, TracePiece]]]:
    """Pieces with start and length, in the fewest rows in which none overlap."""
    rows: list[list[tuple[int, int, TracePiece]]] = []
    for piece in sorted(slices, key=lambda piece: (piece.start, piece.end or 0.0)):
        start = micros(piece.start)
        placed = (start, micros(piece.end or piece.start) - start, piece)
        free = (row for row in rows if row[-1][0] + row[-1][1] <= start)
        if row := next(free, None):
            row.append(placed)
        else:
            rows.append([placed])
    return rows


def _sessions(events: Iterable[ev.Event]) -> list[list[ev.Event]]:
    """The events of each session; a bench of several variants has one for each, on one clock."""
    found: list[list[ev.Event]] = []
    for event in events:
        if isinstance(event, ev.SessionStarted) or not found:
            found.append([])
        found[-1].append(event)
    return found


def _about(started: ev.SessionStarted) -> dict[str, str]:
    return {
        "edgevoice": started.version,
        "started": started.wall,
        "platform": started.platform,
        "models": " ".join(f"{role}={name}" for role, name in started.models.items()),
    }


def _process(number: int, session: TraceDrawing, sessions: int) -> Iterator[dict[str, Any]]:
    process = thread = number * PROCESS
    about = partial(_entry, "M", process=process, at=0)
    name = "edgevoice" if sessions == 1 else f"edgevoice, session {number}"
    yield about("process_name", thread=process, args={"name": name})
    yield about("process_sort_index", thread=process, args={"sort_index": process})
    for track in session.tracks:
        rows = lanes(piece for piece in session.slices if piece.track == track) or [[]]
        for lane, row in enumerate(rows, 1):
            thread += 1
            title = track if lane == 1 else f"{track} ({lane})"
            yield about("thread_name", thread=thread, args={"name": title})
            yield about("thread_sort_index", thread=thread, args={"sort_index": thread})
            where: dict[str, Any] = {"process": process, "thread": thread, "cat": track}
            for start, length, piece in row:
                yield _entry("X", piece.name, at=start, args=piece.args, dur=length, **where)
            for mark in session.marks:
                if mark.track == track and lane == 1:
                    at = micros(mark.start)
                    yield _entry("i", mark.name, at=at, args=mark.args, s="t", **where)
    for name, time, values in session.counters:
        at = micros(time)
        yield _entry("C", name, process, process, at, values, cat="state")


def _entry(
    ph: str, name: str, process: int, thread: int, at: int, args: Mapping[str, Any], **more: Any
) -> dict[str, Any]:
    where = {"pid": process, "tid": thread, "ts": at}
    return {"ph": ph, "name": name, **where, "args": dict(args), **more}
