"""Events as trace-event JSON, which Perfetto and chrome://tracing show.

One process a session, in it a thread a track; work is a complete event (`ph` X), what happens at
once an instant (i), resources and the microphone are counters (C). Times are whole microseconds,
rounded at their edges, so that what adds up in seconds adds up here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from edgevoice import events as ev
from edgevoice.bench.trace.drawing import TraceDrawing, TraceSlice
from edgevoice.bench.trace.tracks import drawn
from edgevoice.encoding import json_bytes

PROCESS = 1000
"""How far apart the numbers of processes are: viewers want each thread's to be one of its own, and
take the thread that has the number of its process for the main one."""


def document(events: Iterable[ev.Event]) -> list[str]:
    """The JSON, an event a line."""
    sessions = [drawn(session) for session in _sessions(events)]
    entries = [
        entry
        for number, session in enumerate(sessions, 1)
        for entry in _process(number, session, len(sessions))
    ]
    lines = [json_bytes(entry).decode() for entry in entries]
    told = json_bytes(_about(sessions)).decode()
    between = [",\n"] * (len(lines) - 1) + ["\n"]
    body = [part for pair in zip(lines, between, strict=True) for part in pair]
    return ['{"traceEvents":[\n', *body, f'],"displayTimeUnit":"ms","otherData":{told}}}\n']


def micros(seconds: float) -> int:
    """Whole microseconds."""
    return round(seconds * 1_000_000)


def lanes(slices: Iterable[TraceSlice]) -> list[list[TraceSlice]]:
    """Slices in as few rows as it takes, so that in none of them two overlap."""
    rows: list[list[TraceSlice]] = []
    for one in sorted(slices, key=lambda one: (one.start, one.end)):
        for row in rows:
            if micros(row[-1].end) <= micros(one.start):
                row.append(one)
                break
        else:
            rows.append([one])
    return rows


def _sessions(events: Iterable[ev.Event]) -> list[list[ev.Event]]:
    """A bench of several variants has a session for each: they begin anew, on one clock."""
    found: list[list[ev.Event]] = []
    for event in events:
        if isinstance(event, ev.SessionStarted) or not found:
            found.append([])
        found[-1].append(event)
    return found


def _about(sessions: Sequence[TraceDrawing]) -> dict[str, str]:
    started = next((s.started for s in sessions if s.started), None)
    if started is None:
        return {}
    models = " ".join(f"{role}={name}" for role, name in started.models.items())
    return {
        "edgevoice": started.version,
        "started": started.wall,
        "platform": started.platform,
        "models": models,
    }


def _process(number: int, session: TraceDrawing, sessions: int) -> Iterable[dict[str, Any]]:
    process = thread = number * PROCESS
    name = "edgevoice" if sessions == 1 else f"edgevoice, session {number}"
    yield _metadata(process, process, "process_name", {"name": name})
    yield _metadata(process, process, "process_sort_index", {"sort_index": process})
    for track in session.tracks:
        rows = lanes(one for one in session.slices if one.track == track) or [[]]
        for lane, row in enumerate(rows, 1):
            thread += 1
            title = track if lane == 1 else f"{track} ({lane})"
            yield _metadata(process, thread, "thread_name", {"name": title})
            yield _metadata(process, thread, "thread_sort_index", {"sort_index": thread})
            for one in row:
                yield {
                    **_event("X", one.name, track, process, thread, one.start, one.args),
                    "dur": micros(one.end) - micros(one.start),
                }
            if lane == 1:
                for mark in (mark for mark in session.marks if mark.track == track):
                    yield {
                        **_event("i", mark.name, track, process, thread, mark.at, mark.args),
                        "s": "t",
                    }
    for counter in session.counters:
        yield _event("C", counter.name, "state", process, process, counter.at, counter.values)


def _event(
    phase: str,
    name: str,
    category: str,
    process: int,
    thread: int,
    at: float,
    args: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "ph": phase,
        "name": name,
        "cat": category,
        "pid": process,
        "tid": thread,
        "ts": micros(at),
        "args": dict(args),
    }


def _metadata(process: int, thread: int, name: str, args: Mapping[str, Any]) -> dict[str, Any]:
    return {"ph": "M", "name": name, "pid": process, "tid": thread, "ts": 0, "args": dict(args)}
