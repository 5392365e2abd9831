"""A session as tracks: what each stage worked on from when to when, and what happened at once.

A pure fold over events, like the timings. Where the end of some work is told by no event (a guess
that was taken back, a look that brought no news), the piece ends with what shows that it was over,
or is only marked where it began; `args` then say so.
"""

from __future__ import annotations

from collections.abc import Iterable

from edgevoice import events as ev
from edgevoice.bench.trace.drawing import (
    ENGINES,
    GAP,
    LOOKS,
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
    pencil, timings, last = TraceBuilder(), Timings(), 0.0
    for event in events:
        timings.add(event)
        last = max(last, event.t)
        for draw in (_state, _ears, _scribe, _mind, _voice, _speaker):
            draw(pencil, event)
    pencil.finish(last)
    for turn in timings.turns:
        _gap(pencil.drawing, turn)
    return pencil.drawing


def _state(pencil: TraceBuilder, event: ev.Event) -> None:
    match event:
        case ev.SessionStarted():
            pencil.drawing.started = event
        case ev.Resources():
            pencil.count("CPU", event.t, **{"% of one core": event.cpu})
            pencil.count("memory", event.t, MiB=round(event.rss / 2**20, 1))
        case ev.Level():
            pencil.count("microphone", event.t, dBFS=event.dbfs)
            pencil.count("speech", event.t, probability=event.speech)
        case ev.EngineLoading():
            pencil.begin((ENGINES, event.role), ENGINES, f"loads {event.role}", event.t,
                         model=event.model)  # fmt: skip
        case ev.EngineReady():
            pencil.end((ENGINES, event.role), event.t)
        case ev.Listening() | ev.Ready():
            name = "ready" if isinstance(event, ev.Ready) else "listening"
            pencil.mark(ENGINES, name, event.t)
        case ev.StageFailed():
            pencil.mark(event.stage, f"failed: {event.what}", event.t, turn=event.turn)
        case ev.DeviceLost() | ev.DeviceRestored():
            track = "capture" if event.kind == "input" else "playback"
            what = "lost" if isinstance(event, ev.DeviceLost) else "found"
            pencil.mark(track, f"{what}: {event.name}", event.t)
        case ev.HistoryTrimmed():
            pencil.mark("agent", "history trimmed", event.t, messages=event.messages)
        case ev.ConversationCleared():
            pencil.mark("agent", "new conversation", event.t)
        case _:
            pass


def _ears(pencil: TraceBuilder, event: ev.Event) -> None:
    match event:
        case ev.TurnStarted():
            if event.replaces is not None:
                # The same utterance goes on: it is drawn once, as the last turn's.
                _, _, pauses = pencil.speech.pop(event.replaces, (0.0, None, 0))
                pencil.speech[event.turn] = (event.t, None, pauses)
            if event.origin == "text":
                pencil.mark(USER, "types", event.t, turn=event.turn)
        case ev.SpeechStarted():
            _, _, pauses = pencil.speech.get(event.turn, (0.0, None, 0))
            pencil.speech[event.turn] = (event.at, None, pauses)
            pencil.begin("capture", "capture", "hears", event.t, turn=event.turn)
        case ev.SpeechPaused():
            if event.turn in pencil.speech:
                start, _, pauses = pencil.speech[event.turn]
                pencil.speech[event.turn] = (start, event.at, pauses + 1)
            pencil.begin("capture", "capture", "waits for more", event.t, turn=event.turn)
        case ev.SpeechEnded():
            if event.turn in pencil.speech:
                start, _, pauses = pencil.speech[event.turn]
                pencil.speech[event.turn] = (start, event.at, pauses)
            pencil.end("capture", event.t)
        case ev.TurnCommitted():
            pencil.mark("capture", "committed", event.t, turn=event.turn)
        case ev.TurnCancelled():
            pencil.cancelled[event.turn] = event.t
            start, end, pauses = pencil.speech.get(event.turn, (0.0, event.t, 0))
            if end is None:
                pencil.speech[event.turn] = (start, event.t, pauses)
            why = {"detail": event.detail} if event.detail else {}
            pencil.mark("capture", f"cancelled: {event.reason}", event.t, turn=event.turn, **why)
            listening = pencil.open.get("capture")
            if listening is not None and listening.args["turn"] == event.turn:
                pencil.end("capture", event.t, cancelled=event.reason)
        case ev.EndOfTurnScored():
            told = f"finished: {event.complete:.0%}"
            pencil.mark("end_of_turn", told, event.t, turn=event.turn, complete=event.complete)
        case ev.Overrun():
            pencil.mark("capture", "overrun", event.t, count=event.count)
        case _:
            pass


def _scribe(pencil: TraceBuilder, event: ev.Event) -> None:
    match event:
        case ev.TranscriptionStarted(partial=True):
            if len(pencil.looks) == LOOKS:
                pencil.silent_look()
            about = {"turn": event.turn, "seconds of sound": event.seconds}
            pencil.looks.append(
                OpenSlice("transcription", "reads while they speak", event.t, about)
            )
        case ev.InterimTranscript():
            look = _look(pencil, event.turn)
            if look is not None:
                pencil.draw(look, event.t, text=event.text, agreed=event.text[: event.agreed])
        case ev.TranscriptionStarted():
            about = {"turn": event.turn, "seconds of sound": event.seconds}
            pencil.begin("reading", "transcription", "reads the question", event.t, **about)
        case ev.FinalTranscript():
            if pencil.end("reading", event.t, text=event.text):
                return
            look = _look(pencil, event.turn)
            if look is not None:
                pencil.draw(look, event.t, text=event.text)
            pencil.mark(
                "transcription", "question known", event.t, turn=event.turn, text=event.text
            )
        case ev.TurnCancelled(reason="no_speech") | ev.TurnCancelled(reason="failed"):
            reading = pencil.open.get("reading")
            if reading is not None and reading.args["turn"] == event.turn:
                pencil.end("reading", event.t, cancelled=event.reason)
        case _:
            pass


def _look(pencil: TraceBuilder, turn: int) -> OpenSlice | None:
    """The oldest look at this turn, which has ended."""
    for look in pencil.looks:
        if look.args["turn"] == turn:
            pencil.looks.remove(look)
            return look
    return None


def _mind(pencil: TraceBuilder, event: ev.Event) -> None:
    match event:
        case ev.PrefillProgress():
            _take_back(pencil, event.t)
            pencil.mark("agent", "words read ahead", event.t, turn=event.turn, text=event.text,
                        tokens=event.tokens)  # fmt: skip
        case ev.PrefillStarted():
            _take_back(pencil, event.t)
            pencil.begin("agent", "agent", "prefill", event.t, turn=event.turn)
        case ev.PrefillEnded():
            about = {"tokens": event.tokens, "reused": event.reused}
            pencil.end("agent", event.t, **about)
            pencil.begin("agent", "agent", "decode", event.t, turn=event.turn, text="")
        case ev.TokenGenerated():
            work = pencil.open.get("agent")
            if work is not None and work.args["turn"] == event.turn and "text" in work.args:
                work.args["text"] += event.text
                work.args["tokens"] = event.index + 1
            if event.index == 0:
                pencil.mark("agent", "first token", event.t, turn=event.turn)
        case ev.GenerationEnded():
            pencil.end("agent", event.t, tokens=event.tokens, reason=event.reason)
        case ev.ClauseReady():
            pencil.texts[event.turn, event.clause] = event.spoken
            pencil.mark(
                "agent", f"clause {event.clause}", event.t, turn=event.turn, text=event.text
            )
        case _:
            pass


def _take_back(pencil: TraceBuilder, now: float) -> None:
    """Something else is thought of: what was, is over since it was cancelled, or since now."""
    work = pencil.open.get("agent")
    if work is not None:
        pencil.end("agent", min(now, pencil.cancelled.get(work.args["turn"], now)),
                   end="not told: taken back")  # fmt: skip


def _voice(pencil: TraceBuilder, event: ev.Event) -> None:
    match event:
        case ev.SynthesisStarted():
            text = pencil.texts.get((event.turn, event.clause), "")
            name = f"clause {event.clause}"
            pencil.begin("synthesis", "synthesis", name, event.t, turn=event.turn, text=text)
        case ev.FirstAudio():
            pencil.mark("synthesis", "first sound", event.t, turn=event.turn, clause=event.clause)
        case ev.SynthesisEnded():
            pencil.end("synthesis", event.t, **{"seconds of sound": event.seconds})
        case ev.StageFailed(stage="synthesis"):
            pencil.end("synthesis", event.t, failed=event.what)
        case _:
            pass


def _speaker(pencil: TraceBuilder, event: ev.Event) -> None:
    match event:
        case ev.PlaybackStarted():
            text = pencil.texts.get((event.turn, event.clause), "")
            name = f"clause {event.clause}"
            pencil.begin("playback", "playback", name, event.at, turn=event.turn, text=text,
                         audible_at=event.audible_at)  # fmt: skip
        case ev.PlaybackEnded():
            pencil.end("playback", event.at)
        case ev.TurnCompleted():
            name = "interrupted" if event.interrupted else "completed"
            pencil.mark("playback", name, event.t, turn=event.turn, heard=event.heard)
        case ev.Underrun():
            pencil.mark("playback", "underrun", event.t, turn=event.turn, count=event.count)
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
