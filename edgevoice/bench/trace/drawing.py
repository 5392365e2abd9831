"""What a session looks like: work on tracks, what happened at once, and quantities over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edgevoice import events as ev

USER, GAP, SPANS = "user", "gap", "spans of the gap"
ENGINES = "engines"
TRACKS = (
    USER,
    GAP,
    SPANS,
    "capture",
    "transcription",
    "end_of_turn",
    "agent",
    "synthesis",
    "playback",
    ENGINES,
)
"""The tracks from top to bottom."""

LOOKS = 2
"""Readings that can be under way at once: a look, and beside it a glance."""


@dataclass(frozen=True)
class TraceSlice:
    """Work from `start` to `end`, in seconds of session time."""

    track: str
    name: str
    start: float
    end: float
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TraceMark:
    """What happened at once."""

    track: str
    name: str
    at: float
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TraceCounter:
    """Quantities at a moment, each by its unit."""

    name: str
    at: float
    values: Mapping[str, float]


@dataclass
class TraceDrawing:
    """One session, drawn."""

    started: ev.SessionStarted | None = None
    slices: list[TraceSlice] = field(default_factory=list)
    marks: list[TraceMark] = field(default_factory=list)
    counters: list[TraceCounter] = field(default_factory=list)

    @property
    def tracks(self) -> list[str]:
        """The tracks on which there is something, from top to bottom."""
        used = {one.track for one in self.slices} | {mark.track for mark in self.marks}
        return [track for track in TRACKS if track in used]


@dataclass
class OpenSlice:
    """Something that has begun; `args` grow until it ends."""

    track: str
    name: str
    start: float
    args: dict[str, Any]


class TraceBuilder:
    """Draws; what has begun and not ended is kept by what it is."""

    def __init__(self) -> None:
        self.drawing = TraceDrawing()
        self.open: dict[object, OpenSlice] = {}
        self.looks: list[OpenSlice] = []
        self.speech: dict[int, tuple[float, float | None, int]] = {}
        """Of each turn when the user began and ceased to speak, and how often they paused."""
        self.texts: dict[tuple[int, int], str] = {}
        self.cancelled: dict[int, float] = {}

    def begin(self, key: object, track: str, name: str, at: float, **args: Any) -> None:
        """Something begins; what went under the same key has then ended."""
        self.end(key, at)
        self.open[key] = OpenSlice(track, name, at, args)

    def end(self, key: object, at: float, **args: Any) -> bool:
        """It has ended; false if nothing had begun."""
        work = self.open.pop(key, None)
        if work is not None:
            self.draw(work, at, **args)
        return work is not None

    def draw(self, work: OpenSlice, at: float, **args: Any) -> None:
        end = max(work.start, at)
        self.drawing.slices.append(
            TraceSlice(work.track, work.name, work.start, end, {**work.args, **args})
        )

    def mark(self, track: str, name: str, at: float, **args: Any) -> None:
        self.drawing.marks.append(TraceMark(track, name, at, args))

    def count(self, name: str, at: float, **values: float) -> None:
        self.drawing.counters.append(TraceCounter(name, at, values))

    def silent_look(self) -> None:
        """The oldest look is over, and nothing came of it."""
        look = self.looks.pop(0)
        self.mark(look.track, look.name, look.start, **look.args, end="not told: no news")

    def finish(self, at: float) -> None:
        """The trace ends: whatever is open ends with it."""
        while self.looks:
            self.silent_look()
        for key in list(self.open):
            self.end(key, at, end="not told: the trace ends")
        for turn, (start, end, pauses) in self.speech.items():
            said = OpenSlice(USER, "speaks", start, {"turn": turn, "pauses": pauses})
            self.draw(said, at if end is None else end)
