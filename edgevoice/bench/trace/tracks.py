"""A session as tracks: what each stage worked on from when to when, and what happened at once.

A pure fold over events, like the timings. Where the end of some work is told by no event (a
speculative reply that was taken back, an interim transcript without news), the piece ends with what
shows that it was over, or is only marked where it began; `args` then say so.
"""

from __future__ import annotations

from collections.abc import Iterable

from edgevoice import events as ev
from edgevoice.bench.trace.drawing import (
    ENGINES,
    GAP,
    MOST_INTERIMS,
    SPANS,
    USER,
    OpenSlice,
    TraceBuilder,
    TraceDrawing,
    TraceSlice,
)
from edgevoice.timings import Timings, TurnTimings


def drawn(events: Iterable[ev.Event]) -> TraceDrawing:
    """The events of one session, in order, as tracks."""
    builder, timings, last = TraceBuilder(), Timings(), 0.0
    for event in events:
        timings.add(event)
        last = max(last, event.t)
        for draw in (_state, _capture, _transcription, _agent, _synthesis, _playback):
            draw(builder, event)
    builder.finish(last)
    for turn in timings.turns:
        _gap(builder.drawing, turn)
    return builder.drawing


def _state(builder: TraceBuilder, event: ev.Event) -> None:
    match event:
        case ev.SessionStarted():
            builder.drawing.started = event
        case ev.Resources():
            builder.count("CPU", event.t, **{"% of one core": event.cpu})
            builder.count("memory", event.t, MiB=round(event.rss / 2**20, 1))
        case ev.Level():
            builder.count("microphone", event.t, dBFS=event.dbfs)
            builder.count("speech", event.t, probability=event.speech)
        case ev.EngineLoading():
            builder.begin((ENGINES, event.role), ENGINES, f"loads {event.role}", event.t,
                         model=event.model)  # fmt: skip
        case ev.EngineReady():
            builder.end((ENGINES, event.role), event.t)
        case ev.Listening() | ev.Ready():
            name = "ready" if isinstance(event, ev.Ready) else "listening"
            builder.mark(ENGINES, name, event.t)
        case ev.StageFailed():
            builder.mark(event.stage, f"failed: {event.what}", event.t, turn=event.turn)
        case ev.DeviceLost() | ev.DeviceRestored():
            track = "capture" if event.kind == "input" else "playback"
            what = "lost" if isinstance(event, ev.DeviceLost) else "found"
            builder.mark(track, f"{what}: {event.name}", event.t)
        case ev.HistoryTrimmed():
            builder.mark("agent", "history trimmed", event.t, messages=event.messages)
        case ev.ConversationCleared():
            builder.mark("agent", "new conversation", event.t)
        case _:
            pass


def _capture(builder: TraceBuilder, event: ev.Event) -> None:
    match event:
        case ev.TurnStarted():
            if event.replaces is not None:
                # The same utterance goes on: it is drawn once, as the last turn's.
                _, _, pauses = builder.speech.pop(event.replaces, (0.0, None, 0))
                builder.speech[event.turn] = (event.t, None, pauses)
            if event.origin == "text":
                builder.mark(USER, "types", event.t, turn=event.turn)
        case ev.SpeechStarted():
            _, _, pauses = builder.speech.get(event.turn, (0.0, None, 0))
            builder.speech[event.turn] = (event.at, None, pauses)
            builder.begin("capture", "capture", "hears", event.t, turn=event.turn)
        case ev.SpeechPaused():
            if event.turn in builder.speech:
                start, _, pauses = builder.speech[event.turn]
                builder.speech[event.turn] = (start, event.at, pauses + 1)
            builder.begin("capture", "capture", "waits for more", event.t, turn=event.turn)
        case ev.SpeechEnded():
            if event.turn in builder.speech:
                start, _, pauses = builder.speech[event.turn]
                builder.speech[event.turn] = (start, event.at, pauses)
            builder.end("capture", event.t)
        case ev.TurnCommitted():
            builder.mark("capture", "committed", event.t, turn=event.turn)
        case ev.TurnCancelled():
            builder.cancelled[event.turn] = event.t
            start, end, pauses = builder.speech.get(event.turn, (0.0, event.t, 0))
            if end is None:
                builder.speech[event.turn] = (start, event.t, pauses)
            why = {"detail": event.detail} if event.detail else {}
            builder.mark("capture", f"cancelled: {event.reason}", event.t, turn=event.turn, **why)
            listening = builder.open.get("capture")
            if listening is not None and listening.args["turn"] == event.turn:
                builder.end("capture", event.t, cancelled=event.reason)
        case ev.EndOfTurnScored():
            told = f"finished: {event.complete:.0%}"
            builder.mark("end_of_turn", told, event.t, turn=event.turn, complete=event.complete)
        case ev.Overrun():
            builder.mark("capture", "overrun", event.t, count=event.count)
        case _:
            pass


def _transcription(builder: TraceBuilder, event: ev.Event) -> None:
    match event:
        case ev.TranscriptionStarted(partial=True):
            if len(builder.interims) == MOST_INTERIMS:
                builder.silent_interim()
            about = {"turn": event.turn, "seconds of sound": event.seconds}
            builder.interims.append(
                OpenSlice("transcription", "reads while they speak", event.t, about)
            )
        case ev.InterimTranscript():
            interim = _interim(builder, event.turn)
            if interim is not None:
                builder.draw(interim, event.t, text=event.text, agreed=event.text[: event.agreed])
        case ev.TranscriptionStarted():
            about = {"turn": event.turn, "seconds of sound": event.seconds}
            builder.begin("reading", "transcription", "reads the question", event.t, **about)
        case ev.FinalTranscript():
            if builder.end("reading", event.t, text=event.text):
                return
            interim = _interim(builder, event.turn)
            if interim is not None:
                builder.draw(interim, event.t, text=event.text)
            builder.mark(
                "transcription", "question known", event.t, turn=event.turn, text=event.text
            )
        case ev.TurnCancelled(reason="no_speech") | ev.TurnCancelled(reason="failed"):
            reading = builder.open.get("reading")
            if reading is not None and reading.args["turn"] == event.turn:
                builder.end("reading", event.t, cancelled=event.reason)
        case _:
            pass


def _interim(builder: TraceBuilder, turn: int) -> OpenSlice | None:
    """The oldest interim reading of this turn, which has ended."""
    for interim in builder.interims:
        if interim.args["turn"] == turn:
            builder.interims.remove(interim)
            return interim
    return None


def _agent(builder: TraceBuilder, event: ev.Event) -> None:
    match event:
        case ev.PrefillProgress():
            _take_back(builder, event.t)
            builder.mark("agent", "words read ahead", event.t, turn=event.turn, text=event.text,
                        tokens=event.tokens)  # fmt: skip
        case ev.PrefillStarted():
            _take_back(builder, event.t)
            builder.begin("agent", "agent", "prefill", event.t, turn=event.turn)
        case ev.PrefillEnded():
            about = {"tokens": event.tokens, "reused": event.reused}
            builder.end("agent", event.t, **about)
            builder.begin("agent", "agent", "decode", event.t, turn=event.turn, text="")
        case ev.TokenGenerated():
            work = builder.open.get("agent")
            if work is not None and work.args["turn"] == event.turn and "text" in work.args:
                work.args["text"] += event.text
                work.args["tokens"] = event.index + 1
            if event.index == 0:
                builder.mark("agent", "first token", event.t, turn=event.turn)
        case ev.GenerationEnded():
            builder.end("agent", event.t, tokens=event.tokens, reason=event.reason)
        case ev.ClauseReady():
            builder.texts[event.turn, event.clause] = event.spoken
            builder.mark(
                "agent", f"clause {event.clause}", event.t, turn=event.turn, text=event.text
            )
        case _:
            pass


def _take_back(builder: TraceBuilder, now: float) -> None:
    """Something else is thought of: what was, is over since it was cancelled, or since now."""
    work = builder.open.get("agent")
    if work is not None:
        builder.end("agent", min(now, builder.cancelled.get(work.args["turn"], now)),
                   end="not told: taken back")  # fmt: skip


def _synthesis(builder: TraceBuilder, event: ev.Event) -> None:
    match event:
        case ev.SynthesisStarted():
            text = builder.texts.get((event.turn, event.clause), "")
            name = f"clause {event.clause}"
            builder.begin("synthesis", "synthesis", name, event.t, turn=event.turn, text=text)
        case ev.FirstAudio():
            builder.mark("synthesis", "first sound", event.t, turn=event.turn, clause=event.clause)
        case ev.SynthesisEnded():
            builder.end("synthesis", event.t, **{"seconds of sound": event.seconds})
        case ev.StageFailed(stage="synthesis"):
            builder.end("synthesis", event.t, failed=event.what)
        case _:
            pass


def _playback(builder: TraceBuilder, event: ev.Event) -> None:
    match event:
        case ev.PlaybackStarted():
            text = builder.texts.get((event.turn, event.clause), "")
            name = f"clause {event.clause}"
            builder.begin("playback", "playback", name, event.at, turn=event.turn, text=text,
                         audible_at=event.audible_at)  # fmt: skip
        case ev.PlaybackEnded():
            builder.end("playback", event.at)
        case ev.TurnCompleted():
            name = "interrupted" if event.interrupted else "completed"
            builder.mark("playback", name, event.t, turn=event.turn, heard=event.heard)
        case ev.Underrun():
            builder.mark("playback", "underrun", event.t, turn=event.turn, count=event.count)
        case _:
            pass


def _gap(drawing: TraceDrawing, turn: TurnTimings) -> None:
    """What the user waited for, and on a track of their own the spans that add up to it."""
    if turn.gap is None or not turn.spans:
        return
    start, end = turn.spans[0].start, turn.spans[-1].end
    milliseconds = {span.name: round(span.seconds * 1000, 3) for span in turn.spans}
    about = {"turn": turn.turn, "ms": milliseconds}
    drawing.slices.append(TraceSlice(GAP, f"gap {round(turn.gap * 1000)} ms", start, end, about))
    for span in turn.spans:
        # One that is nothing would only lie on top of the next one.
        if span.seconds > 0:
            own = {"turn": turn.turn, "ms": milliseconds[span.name]}
            drawing.slices.append(TraceSlice(SPANS, span.name, span.start, span.end, own))
