"""Timings as a pure fold over events: nothing here measures, everything is read off the trace.

The gap of a turn is what the user hears: from the last voiced sample they spoke to the first
audible sample of the answer. Its spans are cut at milestones in pipeline order, each milestone no
earlier than the one before, so they add up to the gap by construction: a stage whose work was done
while another one held the answer up has a span of zero, and its bar shows when it really worked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from edgevoice import events as ev

SPANS = ("pause", "recognize", "prefill", "first clause", "synthesize", "confirm", "output")
"""The spans of a gap in order: waiting for silence, Whisper, prompt into the KV cache, decoding up
to the first clause, its first sound, waiting for the end of the turn to be confirmed, queue and
device until the first audible sample."""


@dataclass(frozen=True, slots=True)
class Span:
    """A named stretch of session time, in seconds."""

    name: str
    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class TurnTimings:
    """Where the time of one answered turn went.

    `spans` are contiguous and add up to `gap` seconds (None until something was audible). `bars`
    are each stage's own work, which may overlap and may begin before the gap does. `ttft` is from
    prompt start to first token, in seconds. `pace` is what had been learned of how the speaker
    pauses when the turn began; None where that was nothing, or where nothing was spoken.
    """

    turn: int
    gap: float | None
    spans: tuple[Span, ...]
    bars: tuple[Span, ...]
    prompt_tokens: int = 0
    reused_tokens: int = 0
    reply_tokens: int = 0
    tokens_per_second: float | None = None
    ttft: float | None = None
    interrupted: bool = False
    pace: ev.SpeakerTempoChanged | None = None


@dataclass(slots=True)
class _Record:
    turn: int
    began: float
    pace: ev.SpeakerTempoChanged | None
    voiced_end: float | None = None
    look: float | None = None
    recognition: float | None = None
    recognized: float | None = None
    prompt: float | None = None
    prefilled: float | None = None
    resumed: float | None = None
    first_token: float | None = None
    last_token: float | None = None
    reply_ended: float | None = None
    prompt_tokens: int = 0
    reused_tokens: int = 0
    reply_tokens: int = 0
    cut: dict[int, float] = field(default_factory=dict)
    synthesis: dict[int, float] = field(default_factory=dict)
    synthesized: dict[int, float] = field(default_factory=dict)
    sounding: dict[int, float] = field(default_factory=dict)
    committed: float | None = None
    playing: tuple[int, float, float] | None = None
    played: float | None = None
    interrupted: bool = False
    over: bool = False


class Timings:
    """Folds events into the timings of every answered turn."""

    def __init__(self) -> None:
        self._records: dict[int, _Record] = {}
        self._answered: list[TurnTimings] = []
        self._pace: ev.SpeakerTempoChanged | None = None

    @property
    def turns(self) -> list[TurnTimings]:
        """The turns that were answered, oldest first."""
        return list(self._answered)

    @property
    def current(self) -> TurnTimings | None:
        """The newest turn that is still under way."""
        return _timings(next(reversed(self._records.values()))) if self._records else None

    def p50(self) -> float | None:
        """Median gap in seconds."""
        return percentile([t.gap for t in self._answered if t.gap is not None], 0.5)

    def p95(self) -> float | None:
        """95th percentile of the gaps in seconds."""
        return percentile([t.gap for t in self._answered if t.gap is not None], 0.95)

    def add(self, event: ev.Event) -> None:
        """Take one more event; they must come in order."""
        match event:
            case ev.TurnStarted():
                pace = None if event.origin == "text" else self._pace
                self._records[event.turn] = _Record(event.turn, event.t, pace)
            case ev.SpeakerTempoChanged():
                self._pace = event
            case ev.ConversationCleared() | ev.SessionStarted():
                self._pace = None
            case ev.TurnCompleted():
                if record := self._records.pop(event.turn, None):
                    record.interrupted = event.interrupted
                    if record.playing is not None:
                        self._answered.append(_timings(record))
            case ev.TurnCancelled():
                # A committed turn is completed all the same, with what was heard of it.
                record = self._records.get(event.turn)
                if record and (record.committed is None or event.reason == "shutdown"):
                    del self._records[event.turn]
            case _:
                turn = getattr(event, "turn", None)
                if turn is not None and (record := self._records.get(turn)):
                    _note(record, event)


def _note(record: _Record, event: ev.Event) -> None:
    match event:
        case ev.SpeechPaused() | ev.SpeechEnded():
            record.voiced_end = event.at
        case ev.TranscriptionStarted(partial=True):
            record.look = event.t
        case ev.TranscriptionStarted():
            record.recognition = event.t
        case ev.FinalTranscript():
            record.recognized = event.t
            if record.recognition is None:
                # The last look held the whole question, and was not repeated.
                record.recognition = record.look
        case ev.ReplyContinued() if event.text:
            # What is said first needs no prompt.
            record.resumed = event.t
        case ev.PrefillStarted():
            record.prompt = event.t
        case ev.PrefillEnded():
            record.prefilled = event.t
            record.prompt_tokens, record.reused_tokens = event.tokens, event.reused
        case ev.TokenGenerated():
            record.first_token = event.t if record.first_token is None else record.first_token
            record.last_token = event.t
            record.reply_tokens = event.index + 1
        case ev.GenerationEnded():
            record.reply_ended = event.t
        case ev.ClauseReady():
            record.cut[event.clause] = event.t
        case ev.SynthesisStarted():
            record.synthesis[event.clause] = event.t
        case ev.FirstAudio():
            record.sounding[event.clause] = event.t
        case ev.SynthesisEnded():
            record.synthesized[event.clause] = event.t
        case ev.TurnCommitted():
            record.committed = event.t
        case ev.PlaybackStarted():
            if record.playing is None:
                record.playing = (event.clause, event.at, event.audible_at)
        case ev.PlaybackEnded():
            record.played = event.at
        case _:
            pass


def _timings(r: _Record) -> TurnTimings:
    start = r.voiced_end if r.voiced_end is not None else r.began
    clause = r.playing[0] if r.playing else 0
    milestones = (
        r.recognition,
        r.recognized,
        r.prefilled if r.resumed is None else r.resumed,
        r.cut.get(clause),
        r.sounding.get(clause),
        r.committed,
        r.playing[2] if r.playing else None,
    )
    end = milestones[-1]
    spans, at = [], start
    for name, time in zip(SPANS, milestones, strict=True):
        if time is None:
            continue
        # No earlier than the last milestone, no later than the first sound: work that was hidden
        # behind something slower did not hold the answer up.
        reached = max(at, time if end is None else min(time, end))
        spans.append(Span(name, at, reached))
        at = reached
    gap = None if end is None else max(0.0, at - start)
    decoding = None
    if r.reply_tokens > 1 and r.first_token is not None and r.last_token is not None:
        elapsed = r.last_token - r.first_token
        decoding = (r.reply_tokens - 1) / elapsed if elapsed > 0 else None
    ttft = r.first_token - r.prompt if r.first_token is not None and r.prompt is not None else None
    return TurnTimings(
        turn=r.turn,
        gap=gap,
        spans=tuple(spans),
        bars=tuple(_bars(r)),
        prompt_tokens=r.prompt_tokens,
        reused_tokens=r.reused_tokens,
        reply_tokens=r.reply_tokens,
        tokens_per_second=decoding,
        ttft=ttft,
        interrupted=r.interrupted,
        pace=r.pace,
    )


def _bars(r: _Record) -> Iterable[Span]:
    work = (
        ("recognize", r.recognition, r.recognized),
        ("prefill", r.prompt, r.prefilled),
        ("decode", r.prefilled, r.reply_ended),
        *(("synthesize", t, r.synthesized.get(c)) for c, t in r.synthesis.items()),
        ("play", r.playing[1] if r.playing else None, r.played),
    )
    for name, start, end in work:
        if start is not None and end is not None:
            yield Span(name, start, end)


def fold(events: Iterable[ev.Event]) -> list[TurnTimings]:
    """The timings of every answered turn in a finished trace."""
    timings = Timings()
    for event in events:
        timings.add(event)
    return timings.turns


def percentile(values: Sequence[float], q: float) -> float | None:
    """The `q` quantile (0 to 1) of `values`, linearly interpolated; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
