"""Timings of turns, computed from events only.

The response time is from the last voiced sample of the user to the first audible sample of the
reply. Milestones in pipeline order divide it into spans. No milestone is earlier than
the one before, so the spans add up to the response time. A stage that worked while another stage
delayed the reply has a span of zero; its bar shows when it worked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from edgevoice import events as ev

SPANS = ("pause", "recognize", "prefill", "first clause", "synthesize", "confirm", "output")
"""The spans of a response time in order: silence before transcription starts; transcription;
prefill; generation of the first clause; synthesis of its first audio; silence until the turn is
committed; queue and device until the first audible sample."""


@dataclass(frozen=True, slots=True)
class Span:
    """A named interval of session time, in seconds."""

    name: str
    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class TurnTimings:
    """The timings of an answered turn, in seconds.

    `number` counts the answered turns of the session from 1; 0 before the first audible sample.
    `spans` are contiguous and add up to `response_time` (None before the first audible sample).
    `bars` are the work of each stage; they may overlap and start before the spans. `ttft` is the
    time from the start of prefill to the first token. `pace` is the speaker's tempo as known when
    the turn started; None if unknown, or for a typed question. `draft` is what became of the words
    of the draft model, if it opened the reply.
    """

    turn: int
    response_time: float | None
    spans: tuple[Span, ...]
    bars: tuple[Span, ...]
    prompt_tokens: int = 0
    reused_tokens: int = 0
    reply_tokens: int = 0
    tokens_per_second: float | None = None
    ttft: float | None = None
    interrupted: bool = False
    pace: ev.SpeakerTempoChanged | None = None
    number: int = 0
    draft: ev.DraftVerified | None = None


@dataclass(slots=True)
class _Record:
    turn: int
    began: float
    pace: ev.SpeakerTempoChanged | None
    voiced_end: float | None = None
    interim_started: float | None = None
    interim_read: float | None = None
    """When the transcription started that gave the newest interim transcript."""
    reply_read: float | None = None
    """The same, of the transcript that the reply began with."""
    transcription_started: float | None = None
    transcribed: float | None = None
    prefill_started: float | None = None
    prefill_ended: float | None = None
    continued: float | None = None
    first_token: float | None = None
    last_token: float | None = None
    reply_ended: float | None = None
    prompt_tokens: int = 0
    reused_tokens: int = 0
    reply_tokens: int = 0
    clause_ready: dict[int, float] = field(default_factory=dict)
    synthesis_started: dict[int, float] = field(default_factory=dict)
    synthesis_ended: dict[int, float] = field(default_factory=dict)
    first_audio: dict[int, float] = field(default_factory=dict)
    committed: float | None = None
    playback_started: tuple[int, float, float] | None = None
    playback_ended: float | None = None
    interrupted: bool = False
    number: int = 0
    tools: list[Span] = field(default_factory=list)
    draft: ev.DraftVerified | None = None


class Timings:
    """Computes the timings of every answered turn from events."""

    def __init__(self) -> None:
        self._records: dict[int, _Record] = {}
        self._answered: list[TurnTimings] = []
        self._pace: ev.SpeakerTempoChanged | None = None
        self.answered = 0
        """How many turns were answered audibly, with the one that is being answered."""

    @property
    def turns(self) -> list[TurnTimings]:
        """The answered turns, oldest first."""
        return list(self._answered)

    @property
    def current(self) -> TurnTimings | None:
        """The newest unfinished turn."""
        return _timings(next(reversed(self._records.values()))) if self._records else None

    def p50(self) -> float | None:
        """Median response time in seconds."""
        return percentile(
            [t.response_time for t in self._answered if t.response_time is not None], 0.5
        )

    def p95(self) -> float | None:
        """95th percentile of the response times in seconds."""
        return percentile(
            [t.response_time for t in self._answered if t.response_time is not None], 0.95
        )

    def add(self, event: ev.Event) -> None:
        """Add the next event; events must come in order."""
        match event:
            case ev.TurnStarted():
                pace = self._pace if event.origin in ("speech", "talk_key") else None
                self._records[event.turn] = _Record(event.turn, event.t, pace)
            case ev.SpeakerTempoChanged():
                self._pace = event
            case ev.ConversationCleared() | ev.SessionStarted():
                self._pace = None
            case ev.TurnCompleted():
                if record := self._records.pop(event.turn, None):
                    record.interrupted = event.interrupted
                    if record.playback_started is not None:
                        self._answered.append(_timings(record))
            case ev.TurnCancelled():
                # A committed turn still completes, with the part that was played.
                record = self._records.get(event.turn)
                if record and (record.committed is None or event.reason == "shutdown"):
                    del self._records[event.turn]
            case _:
                turn = getattr(event, "turn", None)
                if turn is not None and (record := self._records.get(turn)):
                    _note(record, event)
                    if isinstance(event, ev.PlaybackStarted) and not record.number:
                        record.number = self.answered = event.number or self.answered + 1


def _note(record: _Record, event: ev.Event) -> None:
    match event:
        case ev.SpeechPaused() | ev.SpeechEnded():
            record.voiced_end = event.at
        case ev.TranscriptionStarted(partial=True):
            record.interim_started = event.t
        case ev.TranscriptionStarted():
            record.transcription_started = event.t
        case ev.InterimTranscript():
            record.interim_read = record.interim_started
        case ev.FinalTranscript():
            record.transcribed = event.t
            if record.transcription_started is None:
                # The last interim transcript was complete, and was not repeated.
                record.transcription_started = record.interim_started
        case ev.ReplyContinued() if event.text:
            # The continued text needs no prefill.
            record.continued = event.t
        case ev.PrefillStarted():
            record.prefill_started, record.reply_read = event.t, record.interim_read
        case ev.PrefillEnded():
            record.prefill_ended = event.t
            record.prompt_tokens, record.reused_tokens = event.tokens, event.reused
        case ev.TokenGenerated():
            record.first_token = event.t if record.first_token is None else record.first_token
            record.last_token = event.t
            record.reply_tokens = event.index + 1
        case ev.ToolCalled():
            record.tools.append(Span("tool", event.t, event.t))
        case ev.ToolReturned() if record.tools:
            record.tools[-1] = Span("tool", record.tools[-1].start, event.t)
        case ev.DraftVerified():
            record.draft = event
        case ev.GenerationEnded():
            record.reply_ended = event.t
        case ev.ClauseReady():
            record.clause_ready[event.clause] = event.t
        case ev.SynthesisStarted():
            record.synthesis_started[event.clause] = event.t
        case ev.FirstAudio():
            record.first_audio[event.clause] = event.t
        case ev.SynthesisEnded():
            record.synthesis_ended[event.clause] = event.t
        case ev.TurnCommitted():
            record.committed = event.t
        case ev.PlaybackStarted():
            if record.playback_started is None:
                record.playback_started = (event.clause, event.at, event.audible_at)
        case ev.PlaybackEnded():
            record.playback_ended = event.at
        case _:
            pass


def _timings(r: _Record) -> TurnTimings:
    start = r.voiced_end if r.voiced_end is not None else r.began
    read, transcribed = r.transcription_started, r.transcribed
    begun, final = r.prefill_started, transcribed
    if r.reply_read is not None and begun is not None and final is not None and begun < final:
        # The reply to an interim transcript waits for no final one.
        read, transcribed = r.reply_read, begun
    clause = r.playback_started[0] if r.playback_started else 0
    milestones = (
        read,
        transcribed,
        r.prefill_ended if r.continued is None else r.continued,
        r.clause_ready.get(clause),
        r.first_audio.get(clause),
        r.committed,
        r.playback_started[2] if r.playback_started else None,
    )
    end = milestones[-1]
    spans, at = [], start
    for name, time in zip(SPANS, milestones, strict=True):
        if time is None:
            continue
        # No earlier than the last milestone, no later than the first sound: work in parallel with
        # something slower did not delay the reply.
        reached = max(at, time if end is None else min(time, end))
        spans.append(Span(name, at, reached))
        at = reached
    response_time = None if end is None else max(0.0, at - start)
    decoding = None
    if r.reply_tokens > 1 and r.first_token is not None and r.last_token is not None:
        elapsed = r.last_token - r.first_token
        decoding = (r.reply_tokens - 1) / elapsed if elapsed > 0 else None
    ttft = (
        r.first_token - r.prefill_started
        if r.first_token is not None and r.prefill_started is not None
        else None
    )
    return TurnTimings(
        turn=r.turn,
        response_time=response_time,
        spans=tuple(spans),
        bars=tuple(_bars(r)),
        prompt_tokens=r.prompt_tokens,
        reused_tokens=r.reused_tokens,
        reply_tokens=r.reply_tokens,
        tokens_per_second=decoding,
        ttft=ttft,
        interrupted=r.interrupted,
        pace=r.pace,
        number=r.number,
        draft=r.draft,
    )


def _bars(r: _Record) -> Iterable[Span]:
    yield from r.tools
    if r.draft is not None:
        verified = r.draft.t
        drafted = verified - r.draft.seconds
        yield Span("draft", min(drafted, r.prefill_started or drafted), drafted)
        yield Span("verify", drafted, verified)
    work = (
        ("recognize", r.transcription_started, r.transcribed),
        ("prefill", r.prefill_started, r.prefill_ended),
        ("decode", r.prefill_ended, r.reply_ended),
        *(("synthesize", t, r.synthesis_ended.get(c)) for c, t in r.synthesis_started.items()),
        ("play", r.playback_started[1] if r.playback_started else None, r.playback_ended),
    )
    for name, start, end in work:
        if start is not None and end is not None:
            yield Span(name, start, end)


def fold(events: Iterable[ev.Event]) -> list[TurnTimings]:
    """The timings of every answered turn in `events`."""
    timings = Timings()
    for event in events:
        timings.add(event)
    return timings.turns


def percentile(values: Sequence[float], q: float) -> float | None:
    """The `q` quantile (0 to 1) of `values`, linearly interpolated; None without values."""
    if not values:
        return None
    ordered = sorted(values)
    position = q * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)
