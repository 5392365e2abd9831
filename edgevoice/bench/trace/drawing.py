"""A session as a picture: work and moments on tracks, and quantities over time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from edgevoice import events as ev

USER, RESPONSE_TIME, SPANS, ENGINES = "user", "response time", "spans", "engines"
STAGES = ("capture", "transcription", "end_of_turn", "agent", "synthesis", "playback")
TRACKS = (USER, RESPONSE_TIME, SPANS, *STAGES, ENGINES)
"""The tracks from top to bottom."""

MOST_INTERIMS = 2
"""Interim transcriptions that can be under way at once."""


@dataclass
class TracePiece:
    """Work on a track from `start` to `end`, or a moment where `end` is None; session time."""

    track: str
    name: str
    start: float
    end: float | None
    args: dict[str, Any]


@dataclass
class TraceDrawing:
    """One session; what has begun and not ended is in `open`, `interims` and `speech`."""

    started: ev.SessionStarted | None = None
    slices: list[TracePiece] = field(default_factory=list)
    marks: list[TracePiece] = field(default_factory=list)
    counters: list[tuple[str, float, dict[str, float]]] = field(default_factory=list)
    """Name, time, and each quantity by its unit."""
    open: dict[object, TracePiece] = field(default_factory=dict)
    interims: list[TracePiece] = field(default_factory=list)
    speech: dict[int, TracePiece] = field(default_factory=dict)
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    """Spoken text by turn and clause."""
    cancelled: dict[int, float] = field(default_factory=dict)

    @property
    def tracks(self) -> list[str]:
        """The tracks in use, from top to bottom."""
        used = {piece.track for piece in (*self.slices, *self.marks)}
        return [track for track in TRACKS if track in used]

    def begin(self, track: str, name: str, at: float, key: object = None, **args: Any) -> None:
        """Begin work, and end what has begun before with the same key (the track, if None)."""
        self.end(key or track, at)
        self.open[key or track] = TracePiece(track, name, at, None, args)

    def end(self, key: object, at: float, **args: Any) -> bool:
        """End the work with this key; False if none has begun."""
        work = self.open.pop(key, None)
        if work is not None:
            self.draw(work, at, **args)
        return work is not None

    def draw(self, work: TracePiece, at: float, **args: Any) -> None:
        end = max(work.start, at)
        self.slices.append(
            TracePiece(work.track, work.name, work.start, end, {**work.args, **args})
        )

    def mark(self, track: str, name: str, at: float, **args: Any) -> None:
        self.marks.append(TracePiece(track, name, at, None, args))

    def drop_interim(self) -> None:
        """Mark the oldest interim transcription, which ended without an event."""
        interim = self.interims.pop(0)
        interim.args["end"] = "not told: no news"
        self.marks.append(interim)

    def finish(self, at: float) -> None:
        """End everything that is open with the trace."""
        while self.interims:
            self.drop_interim()
        for key in list(self.open):
            self.end(key, at, end="not told: the trace ends")
        for piece in self.speech.values():
            self.draw(piece, at if piece.end is None else piece.end)
