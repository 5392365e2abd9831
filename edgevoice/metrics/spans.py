"""Convert exchanges to trees of spans: the work of each stage with its times.

Attributes follow OpenTelemetry's conventions for generative AI; our own begin with `edgevoice.`.
They contain no text: no question, no reply, no error message, no device name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Union

from edgevoice import events as ev
from edgevoice.metrics.exchanges import FinishedExchange

PROVIDER = "llama.cpp"

Value = Union[str, int, float, bool, Sequence[str]]


@dataclass(slots=True)
class TraceSpan:
    """A span in session time, in seconds, with its inner spans.

    `marks` are named moments; `failed` is the stage that failed in it, or empty.
    """

    name: str
    start: float
    end: float
    attributes: dict[str, Value] = field(default_factory=dict)
    inner: list[TraceSpan] = field(default_factory=list)
    marks: list[tuple[str, float]] = field(default_factory=list)
    failed: str = ""


def drawn(exchange: FinishedExchange, models: Mapping[str, str], conversation: str) -> TraceSpan:
    """The exchange as one span, with an inner span for each stage's work.

    `models` maps role to name; `conversation` is the id shared by its exchanges.
    """
    timings = exchange.timings
    root = TraceSpan("turn", exchange.started, exchange.ended)
    root.attributes = {
        "gen_ai.conversation.id": conversation,
        "edgevoice.turn": exchange.turn,
        "edgevoice.origin": exchange.origin,
        "edgevoice.outcome": exchange.outcome,
        "edgevoice.false_starts": len(exchange.false_starts),
        "edgevoice.underruns": sum(e.count for e in exchange.events if isinstance(e, ev.Underrun)),
    }
    if exchange.reason:
        root.attributes["edgevoice.reason"] = exchange.reason
    if timings.response_time is not None:
        root.attributes["edgevoice.response_time.total"] = timings.response_time
        for span in timings.spans:
            root.attributes[f"edgevoice.response_time.{span.name.replace(' ', '_')}"] = span.seconds
    root.marks = [("false start", at) for at in exchange.false_starts]
    failures = [event.stage for event in exchange.events if isinstance(event, ev.StageFailed)]
    root.failed = failures[0] if failures else ""
    stages = [
        *_heard(exchange),
        *_recognized(exchange, models.get("stt", "")),
        *_thought(exchange, models.get("slm", "")),
        *_synthesized(exchange, models.get("tts", "")),
        *(TraceSpan("play", bar.start, bar.end) for bar in timings.bars if bar.name == "play"),
    ]
    root.inner = sorted(stages, key=lambda span: span.start)
    # The last sample leaves the speaker after the turn has completed.
    root.start = min([root.start, *(span.start for span in root.inner)])
    root.end = max([root.end, *(span.end for span in root.inner)])
    return root


def _heard(exchange: FinishedExchange) -> Iterator[TraceSpan]:
    """The user's speech, and the wait for the end of the turn."""
    started = ended = committed = None
    for event in exchange.events:
        match event:
            case ev.SpeechStarted():
                started = event.at
            case ev.SpeechPaused() | ev.SpeechEnded():
                ended = event.at
            case ev.TurnCommitted():
                committed = event.t
            case _:
                pass
    if started is not None:
        yield TraceSpan("listen", started, exchange.ended if ended is None else max(started, ended))
    if ended is not None and committed is not None:
        yield TraceSpan("confirm", ended, max(ended, committed))


def _recognized(exchange: FinishedExchange, model: str) -> Iterator[TraceSpan]:
    attributes: dict[str, Value] = {"gen_ai.request.model": model}
    for name, key in (("read_seconds", "edgevoice.audio.seconds"), ("stt_rtf", "edgevoice.rtf")):
        value = exchange.rates[name]
        if value is not None:
            attributes[key] = value
    done = [bar for bar in exchange.timings.bars if bar.name == "recognize"]
    if done:
        yield TraceSpan("recognize", done[0].start, done[0].end, attributes)
        return
    started = [
        e for e in exchange.events if isinstance(e, ev.TranscriptionStarted) and not e.partial
    ]
    if started:
        yield _unfinished(
            exchange, TraceSpan("recognize", started[-1].t, 0.0, attributes), "transcription"
        )


def _thought(exchange: FinishedExchange, model: str) -> Iterator[TraceSpan]:
    """The language model's reply, with its prefill and decoding."""
    answer: TraceSpan | None = None
    working: TraceSpan | None = None
    for event in exchange.events:
        match event:
            case ev.PrefillStarted():
                # An earlier prefill was speculative.
                answer = TraceSpan(f"chat {model}", event.t, event.t, _chat(model))
                working = TraceSpan("prefill", event.t, event.t)
                answer.inner = [working]
            case ev.PrefillEnded() if answer is not None and working is not None:
                working.end = event.t
                answer.attributes["gen_ai.usage.input_tokens"] = event.tokens
                answer.attributes["gen_ai.usage.cache_read.input_tokens"] = event.reused
                working = TraceSpan("decode", event.t, event.t)
                answer.inner.append(working)
            case ev.TokenGenerated(index=0) if answer is not None:
                answer.marks.append(("first token", event.t))
                first = event.t - answer.start
                answer.attributes["gen_ai.response.time_to_first_chunk"] = first
            case ev.GenerationEnded() if answer is not None and working is not None:
                working.end = answer.end = event.t
                working = None
                answer.attributes["gen_ai.usage.output_tokens"] = event.tokens
                answer.attributes["gen_ai.response.finish_reasons"] = (event.reason,)
            case _:
                pass
    if answer is None:
        return
    if working is not None:
        _unfinished(exchange, working, "agent")
        answer.end, answer.failed = working.end, working.failed
    yield answer


def _chat(model: str) -> dict[str, Value]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": PROVIDER,
        "gen_ai.output.type": "text",
        "gen_ai.request.model": model,
    }


def _synthesized(exchange: FinishedExchange, model: str) -> Iterator[TraceSpan]:
    open_: dict[int, TraceSpan] = {}
    for event in exchange.events:
        match event:
            case ev.SynthesisStarted():
                attributes: dict[str, Value] = {
                    "gen_ai.request.model": model,
                    "gen_ai.output.type": "speech",
                    "edgevoice.clause": event.clause,
                }
                open_[event.clause] = TraceSpan("synthesize", event.t, event.t, attributes)
            case ev.FirstAudio() if event.clause in open_:
                open_[event.clause].marks.append(("first sound", event.t))
            case ev.SynthesisEnded() if event.clause in open_:
                span = open_.pop(event.clause)
                span.end = event.t
                span.attributes["edgevoice.audio.seconds"] = event.seconds
                if event.seconds > 0:
                    span.attributes["edgevoice.rtf"] = (event.t - span.start) / event.seconds
                yield span
            case _:
                pass
    for span in open_.values():
        yield _unfinished(exchange, span, "synthesis")


def _unfinished(exchange: FinishedExchange, span: TraceSpan, stage: ev.Stage) -> TraceSpan:
    """`span` with an end for unfinished work: the stage's failure, or the end of the turn."""
    failed = [e for e in exchange.events if isinstance(e, ev.StageFailed) and e.stage == stage]
    span.end = failed[0].t if failed else exchange.ended
    span.failed = stage if failed else ""
    span.attributes["edgevoice.unfinished"] = True
    return span
