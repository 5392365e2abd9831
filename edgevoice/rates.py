"""The speed of each stage in an answered turn, computed from its events."""

from __future__ import annotations

from collections.abc import Sequence

from edgevoice import events as ev
from edgevoice.words import words


def rates(events: Sequence[ev.Event]) -> dict[str, float | None]:
    """The fields of a bench's turn with the speeds of its stages.

    `events` are those of the turn, in order. None: the stage did not run.
    """
    return {
        "prefill_rate": prefill_rate(events),
        **_transcription(events),
        **_synthesis(events),
        "words_per_minute": words_per_minute(events),
    }


def prefill_rate(events: Sequence[ev.Event]) -> float | None:
    """Prefilled tokens per second, without the reused ones."""
    began = rate = None
    for event in events:
        match event:
            case ev.PrefillStarted():
                began = event.t
            case ev.PrefillEnded():
                new = event.tokens - event.reused
                if began is not None and new > 0 and event.t > began:
                    rate = new / (event.t - began)
            case _:
                pass
    return rate


def _transcription(events: Sequence[ev.Event]) -> dict[str, float | None]:
    """Of the transcription that became the question: seconds of sound, and of work per second."""
    started: ev.TranscriptionStarted | None = None
    interim: list[ev.InterimTranscript] = []
    for event in events:
        match event:
            case ev.TranscriptionStarted():
                started, interim = event, []
            case ev.InterimTranscript():
                interim.append(event)
            case ev.FinalTranscript() if started is not None:
                ended: float | None = event.t
                if started.partial:
                    # An interim transcript was complete. It ended before the final one was
                    # emitted, and an older transcription may have ended in between.
                    same = [each.t for each in interim if each.text == event.text]
                    ended = same[-1] if same else None
                if ended is None or started.seconds <= 0:
                    break
                spent = ended - started.t
                return {"read_seconds": started.seconds, "stt_rtf": spent / started.seconds}
            case _:
                pass
    return {"read_seconds": None, "stt_rtf": None}


def _synthesis(events: Sequence[ev.Event]) -> dict[str, float | None]:
    """Seconds of synthesized sound, and of work per second."""
    started: dict[int, float] = {}
    sound = work = 0.0
    for event in events:
        match event:
            case ev.SynthesisStarted():
                started[event.clause] = event.t
            case ev.SynthesisEnded() if event.clause in started and event.seconds > 0:
                sound += event.seconds
                work += event.t - started.pop(event.clause)
            case _:
                pass
    if not sound:
        return {"sound_seconds": None, "tts_rtf": None}
    return {"sound_seconds": round(sound, 4), "tts_rtf": work / sound}


def words_per_minute(events: Sequence[ev.Event]) -> float | None:
    """Words per minute from the first audible sample of the reply to its last.

    None for an interrupted reply.
    """
    played = [event for event in events if isinstance(event, ev.PlaybackStarted)]
    ended = [event.at for event in events if isinstance(event, ev.PlaybackEnded)]
    if not played or not ended:
        return None
    if any(isinstance(event, ev.TurnCompleted) and event.interrupted for event in events):
        return None
    clauses = {event.clause for event in played}
    count = sum(
        len(words(event.spoken))
        for event in events
        if isinstance(event, ev.ClauseReady) and event.clause in clauses
    )
    seconds = ended[-1] - played[0].audible_at
    return 60.0 * count / seconds if count and seconds > 0 else None
