"""Read a trace as far as possible: lines may be missing, broken, or of a newer edgevoice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from edgevoice import compatibility
from edgevoice import events as ev
from edgevoice.errors import UsageError
from edgevoice.outside import Malformed, from_json
from edgevoice.trace import lines, whole


class _Head(msgspec.Struct):
    """The fields of every line."""

    type: str
    t: float
    schema: int = 0


def traced(path: Path, notice: Callable[[str], None]) -> list[ev.Event]:
    """The events of a trace, in order; `notice` is called with what cannot be read.

    Raises UsageError if the file cannot be read, has a newer schema or holds no event.
    """
    found: list[ev.Event] = []
    broken: list[int] = []
    unknown: dict[str, None] = {}
    try:
        with path.open("rb") as file:
            for number, line in enumerate(lines(file), 1):
                try:
                    line = compatibility.event(whole(line))
                    head = from_json(line, _Head)
                    if head.schema > ev.SCHEMA:
                        raise _newer(path, head.schema)
                    if head.type in ev.EVENT_TYPES:
                        found.append(from_json(line, ev.AnyEvent))  # type: ignore[arg-type]
                    else:
                        # A new kind of event does not raise the schema.
                        unknown[head.type] = None
                except Malformed:
                    broken.append(number)
    except OSError as error:
        raise UsageError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="check the path"
        ) from None
    if not found:
        raise UsageError(
            "not a trace", where=str(path), remedy="write one with `edgevoice run --trace FILE`"
        )
    if broken:
        told = "1 line is" if len(broken) == 1 else f"{len(broken)} lines are"
        notice(f"{told} no event, the first is line {broken[0]} of {path}: left out")
    if unknown:
        notice(f"not known to this version, left out: {', '.join(unknown)} ({path})")
    return found


def _newer(path: Path, schema: int) -> UsageError:
    return UsageError(
        f"written by a newer edgevoice (schema {schema}, this one reads {ev.SCHEMA})",
        where=str(path),
        remedy="update edgevoice, or write the trace again",
    )
