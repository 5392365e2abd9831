"""How fast each stage worked in one answered turn, read off its events."""

from __future__ import annotations

from collections.abc import Sequence

from edgevoice import events as ev
from edgevoice.words import words


def rates(events: Sequence[ev.Event]) -> dict[str, float | None]:
    """The fields of a bench's Turn that tell how fast its stages were.

    `events` are those of the turn, in order. None stands for what did not happen in it.
    """
    return {
        "prefill_rate": prefill_rate(events),
        **_recognition(events),
        **_synthesis(events),
        "words_per_minute": words_per_minute(events),
    }


def prefill_rate(events: Sequence[ev.Event]) -> float | None:
    """Tokens a second at which what was new of the prompt came into the KV cache."""
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


def _recognition(events: Sequence[ev.Event]) -> dict[str, float | None]:
    """Of the reading that became the question: seconds of sound in it, and of work for each."""
    started: ev.TranscriptionStarted | None = None
    heard: list[ev.InterimTranscript] = []
    for event in events:
        match event:
            case ev.TranscriptionStarted():
                started, heard = event, []
            case ev.InterimTranscript():
                heard.append(event)
            case ev.FinalTranscript() if started is not None:
                ended: float | None = event.t
                if started.partial:
                    # A look that already held everything. When the question was told, it may
                    # have been over for a while; an older reading may have ended in between.
                    same = [each.t for each in heard if each.text == event.text]
                    ended = same[-1] if same else None
                if ended is None or started.seconds <= 0:
                    break
                spent = ended - started.t
                return {"read_seconds": started.seconds, "stt_rtf": spent / started.seconds}
            case _:
                pass
    return {"read_seconds": None, "stt_rtf": None}


def _synthesis(events: Sequence[ev.Event]) -> dict[str, float | None]:
    """Seconds of sound that were made, and of work for each."""
    begun: dict[int, float] = {}
    sound = work = 0.0
    for event in events:
        match event:
            case ev.SynthesisStarted():
                begun[event.clause] = event.t
            case ev.SynthesisEnded() if event.clause in begun and event.seconds > 0:
                sound += event.seconds
                work += event.t - begun.pop(event.clause)
            case _:
                pass
    if not sound:
        return {"sound_seconds": None, "tts_rtf": None}
    return {"sound_seconds": round(sound, 4), "tts_rtf": work / sound}


def words_per_minute(events: Sequence[ev.Event]) -> float | None:
    """How fast the reply was spoken, from its first audible sample to its last.

    None of a reply that was broken off.
    """
    played = [event for event in events if isinstance(event, ev.PlaybackStarted)]
    ended = [event.at for event in events if isinstance(event, ev.PlaybackEnded)]
    if not played or not ended:
        return None
    if any(isinstance(event, ev.TurnCompleted) and event.interrupted for event in events):
        return None
    clauses = {event.clause for event in played}
    said = sum(
        len(words(event.spoken))
        for event in events
        if isinstance(event, ev.ClauseReady) and event.clause in clauses
    )
    seconds = ended[-1] - played[0].audible_at
    return 60.0 * said / seconds if said and seconds > 0 else None
