"""Events → tracks: what each stage worked on, and when. A pure fold, like the timings.

No event says when speculative work was dropped, or that an interim transcript brought nothing new.
Such a piece ends with the next event that implies its end, or is only marked; `args` say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edgevoice import events as ev
from edgevoice.timings import Timings, TurnTimings

USER, RESPONSE_TIME, SPANS, ENGINES = "user", "response time", "spans", "engines"
STAGE_TRACKS = (
    "capture",
    "transcription",
    "end_of_turn",
    "agent",
    "tools",
    "synthesis",
    "playback",
)
TRACKS = (USER, RESPONSE_TIME, SPANS, *STAGE_TRACKS, ENGINES)
"""The tracks from top to bottom."""

MOST_INTERIMS = 2
"""Interim transcriptions that can be under way at once."""


MARKS: Mapping[type[ev.Event], tuple[str, str, tuple[str, ...]]] = {
    ev.Listening: (ENGINES, "listening", ()),
    ev.Ready: (ENGINES, "ready", ()),
    ev.StageFailed: ("{0.stage}", "failed: {0.what}", ("turn",)),
    ev.HistoryTrimmed: ("agent", "history trimmed", ("messages",)),
    ev.ConversationCleared: ("agent", "new conversation", ()),
    ev.TurnCommitted: ("capture", "committed", ("turn",)),
    ev.TurnCancelled: ("capture", "cancelled: {0.reason}", ("turn", "detail")),
    ev.Overrun: ("capture", "overrun", ("count",)),
    ev.EndOfTurnScored: ("end_of_turn", "finished: {0.complete:.0%}", ("turn", "complete")),
    ev.PrefillProgress: ("agent", "words read ahead", ("turn", "text", "tokens")),
    ev.ClauseReady: ("agent", "clause {0.clause}", ("turn", "text")),
    ev.ReplyRevised: ("agent", "revised", ("turn", "start")),
    ev.FirstAudio: ("synthesis", "first sound", ("turn", "clause")),
    ev.Underrun: ("playback", "underrun", ("turn", "count")),
}
"""Events that are moments: track, name and fields, the first two formatted with the event."""


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


def drawn(events: Iterable[ev.Event]) -> TraceDrawing:
    """The events of one session, in order, as tracks."""
    drawing, timings, last = TraceDrawing(), Timings(), 0.0
    for event in events:
        timings.add(event)
        last = max(last, event.t)
        for draw in (_session, _capture, _transcription, _agent, _sound):
            draw(drawing, event)
        if type(event) in MARKS:
            track, name, fields = MARKS[type(event)]
            args = {field: value for field in fields if (value := getattr(event, field)) != ""}
            drawing.mark(track.format(event), name.format(event), event.t, **args)
    drawing.finish(last)
    for turn in timings.turns:
        _response_time(drawing, turn)
    return drawing


def _session(drawing: TraceDrawing, event: ev.Event) -> None:
    match event:
        case ev.SessionStarted():
            drawing.started = event
        case ev.Resources():
            drawing.counters.append(("CPU", event.t, {"% of one core": event.cpu}))
            drawing.counters.append(("memory", event.t, {"MiB": round(event.rss / 2**20, 1)}))
        case ev.Level():
            drawing.counters.append(("microphone", event.t, {"dBFS": event.dbfs}))
            drawing.counters.append(("speech", event.t, {"probability": event.speech}))
        case ev.EngineLoading():
            name, key = f"loads {event.role}", (ENGINES, event.role)
            drawing.begin(ENGINES, name, event.t, key, model=event.model)
        case ev.EngineReady():
            drawing.end((ENGINES, event.role), event.t)
        case ev.DeviceLost() | ev.DeviceRestored():
            track = "capture" if event.kind == "input" else "playback"
            what = "lost" if isinstance(event, ev.DeviceLost) else "found"
            drawing.mark(track, f"{what}: {event.name}", event.t)
        case _:
            pass


def _capture(drawing: TraceDrawing, event: ev.Event) -> None:
    match event:
        case ev.TurnStarted(origin="text"):
            drawing.mark(USER, "types", event.t, turn=event.turn)
        case ev.TurnStarted(replaces=int(replaced)) if said := drawing.speech.pop(replaced, None):
            # The same utterance goes on, and is drawn once.
            said.end, said.args["turn"] = None, event.turn
            drawing.speech[event.turn] = said
        case ev.SpeechStarted():
            said = TracePiece(USER, "speaks", event.at, None, {"turn": event.turn, "pauses": 0})
            drawing.speech.setdefault(event.turn, said).start = event.at
            drawing.begin("capture", "hears", event.t, turn=event.turn)
        case ev.SpeechPaused():
            if said := drawing.speech.get(event.turn):
                said.end = event.at
                said.args["pauses"] += 1
            drawing.begin("capture", "waits for more", event.t, turn=event.turn)
        case ev.SpeechEnded():
            if said := drawing.speech.get(event.turn):
                said.end = event.at
            drawing.end("capture", event.t)
        case ev.TurnCancelled():
            drawing.cancelled[event.turn] = event.t
            if (said := drawing.speech.get(event.turn)) and said.end is None:
                said.end = event.t
            _end_of_turn(drawing, "capture", event)
        case _:
            pass


def _end_of_turn(drawing: TraceDrawing, key: str, event: ev.TurnCancelled) -> None:
    """End the work with this key if it was for the cancelled turn."""
    work = drawing.open.get(key)
    if work is not None and work.args["turn"] == event.turn:
        drawing.end(key, event.t, cancelled=event.reason)


def _transcription(drawing: TraceDrawing, event: ev.Event) -> None:
    match event:
        case ev.TranscriptionStarted():
            about = {"turn": event.turn, "seconds of sound": event.seconds}
            if not event.partial:
                drawing.begin("transcription", "reads the question", event.t, "final", **about)
                return
            if len(drawing.interims) == MOST_INTERIMS:
                drawing.drop_interim()
            name = "reads while they speak"
            drawing.interims.append(TracePiece("transcription", name, event.t, None, about))
        case ev.InterimTranscript():
            _end_interim(drawing, event, agreed=event.text[: event.agreed])
        case ev.FinalTranscript():
            if not drawing.end("final", event.t, text=event.text):
                # The last interim transcript was the whole question.
                _end_interim(drawing, event)
                told = {"turn": event.turn, "text": event.text}
                drawing.mark("transcription", "question known", event.t, **told)
        case ev.TurnCancelled(reason="no_speech") | ev.TurnCancelled(reason="failed"):
            _end_of_turn(drawing, "final", event)
        case _:
            pass


def _end_interim(
    drawing: TraceDrawing, event: ev.InterimTranscript | ev.FinalTranscript, **args: str
) -> None:
    """End the oldest interim transcription of the turn."""
    for interim in drawing.interims:
        if interim.args["turn"] == event.turn:
            drawing.interims.remove(interim)
            drawing.draw(interim, event.t, text=event.text, **args)
            return


def _agent(drawing: TraceDrawing, event: ev.Event) -> None:
    work = drawing.open.get("agent")
    match event:
        case ev.PrefillProgress() | ev.PrefillStarted():
            if work is not None:
                at = min(event.t, drawing.cancelled.get(work.args["turn"], event.t))
                drawing.end("agent", at, end="not told: taken back")
            if isinstance(event, ev.PrefillStarted):
                drawing.begin("agent", "prefill", event.t, turn=event.turn)
        case ev.PrefillEnded():
            drawing.end("agent", event.t, tokens=event.tokens, reused=event.reused)
            drawing.begin("agent", "decode", event.t, turn=event.turn, text="")
        case ev.TokenGenerated():
            if work is not None and work.args["turn"] == event.turn and "text" in work.args:
                work.args["text"] += event.text
                work.args["tokens"] = event.index + 1
            if event.index == 0:
                drawing.mark("agent", "first token", event.t, turn=event.turn)
        case ev.GenerationEnded():
            drawing.end("agent", event.t, tokens=event.tokens, reason=event.reason)
        case ev.ToolCalled():
            about = {"turn": event.turn, "arguments": event.arguments}
            drawing.begin("tools", event.name, event.t, **about)
        case ev.ToolReturned():
            drawing.end("tools", event.t, result=event.result)
        case ev.ClauseReady():
            drawing.texts[event.turn, event.clause] = event.spoken
        case _:
            pass


def _sound(drawing: TraceDrawing, event: ev.Event) -> None:
    match event:
        case ev.SynthesisStarted():
            about = {"turn": event.turn, "text": drawing.texts.get((event.turn, event.clause), "")}
            drawing.begin("synthesis", f"clause {event.clause}", event.t, **about)
        case ev.SynthesisEnded():
            drawing.end("synthesis", event.t, **{"seconds of sound": event.seconds})
        case ev.StageFailed(stage="synthesis"):
            drawing.end("synthesis", event.t, failed=event.what)
        case ev.PlaybackStarted():
            about = {"turn": event.turn, "text": drawing.texts.get((event.turn, event.clause), "")}
            about["audible_at"] = event.audible_at
            drawing.begin("playback", f"clause {event.clause}", event.at, **about)
        case ev.PlaybackEnded():
            drawing.end("playback", event.at)
        case ev.TurnCompleted():
            name = "interrupted" if event.interrupted else "completed"
            drawing.mark("playback", name, event.t, turn=event.turn, heard=event.heard)
        case _:
            pass


def _response_time(drawing: TraceDrawing, turn: TurnTimings) -> None:
    """The response time, and on a track of their own the spans that add up to it."""
    if turn.response_time is None or not turn.spans:
        return
    ms = {span.name: round(span.seconds * 1000, 3) for span in turn.spans}
    name, (start, *_), (*_, end) = f"{round(turn.response_time * 1000)} ms", turn.spans, turn.spans
    about = {"turn": turn.turn, "number": turn.number, "ms": ms}
    drawing.slices.append(TracePiece(RESPONSE_TIME, name, start.start, end.end, about))
    for span in turn.spans:
        # A span without length would lie on top of the next one.
        if span.seconds > 0:
            own = {"turn": turn.turn, "ms": ms[span.name]}
            drawing.slices.append(TracePiece(SPANS, span.name, span.start, span.end, own))
