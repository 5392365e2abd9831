"""Fold events and exchanges into readings of the metrics."""

from __future__ import annotations

from collections.abc import Iterator

from edgevoice import events as ev
from edgevoice.metrics import catalog as m
from edgevoice.metrics.catalog import Reading
from edgevoice.metrics.exchanges import FinishedExchange


class Readings:
    """The readings of single events; for those of an exchange see `of`."""

    def __init__(self) -> None:
        self._cpu_counted_until: float | None = None
        """The session time until which processor time is counted."""
        self._loaded = False
        self._absent_devices: set[str] = set()
        """The absent devices: "input", "output"."""

    def add(self, event: ev.Event) -> Iterator[Reading]:
        """Process the next event; yields its readings."""
        match event:
            case ev.SessionStarted():
                self._cpu_counted_until = event.t
                self._loaded = False
                self._absent_devices.clear()
                yield Reading(m.BUILD, 1.0, (event.version, event.platform))
                yield Reading(m.MODELS, 1.0, tuple(event.models.get(r, "") for r in m.ROLE_VALUES))
                yield Reading(m.READY, 0.0)
            case ev.EngineReady():
                yield Reading(m.LOADING, event.seconds, (event.role,))
            case ev.Ready() | ev.SessionEnded():
                self._loaded = isinstance(event, ev.Ready)
                yield self._ready()
            case ev.Resources():
                yield Reading(m.MEMORY, float(event.rss))
                if self._cpu_counted_until is not None and event.t > self._cpu_counted_until:
                    yield Reading(m.CPU, event.cpu / 100 * (event.t - self._cpu_counted_until))
                self._cpu_counted_until = event.t
            case ev.TurnStarted():
                if event.replaces is not None:
                    yield Reading(m.FALSE_STARTS, 1.0)
            case ev.Underrun():
                yield Reading(m.UNDERRUNS, float(event.count))
            case ev.Overrun():
                yield Reading(m.OVERRUNS, float(event.count))
            case ev.StageFailed():
                yield Reading(m.FAILURES, 1.0, (event.stage,))
            case ev.DeviceLost():
                self._absent_devices.add(event.kind)
                yield Reading(m.DEVICE_ERRORS, 1.0, (event.kind,))
                yield self._ready()
            case ev.DeviceRestored():
                self._absent_devices.discard(event.kind)
                yield self._ready()
            case _:
                pass

    def _ready(self) -> Reading:
        return Reading(m.READY, float(self._loaded and not self._absent_devices))


def of(exchange: FinishedExchange) -> Iterator[Reading]:
    """The readings of a finished exchange."""
    timings = exchange.timings
    yield Reading(m.TURNS, 1.0, (exchange.outcome, exchange.reason))
    if timings.response_time is not None:
        yield Reading(m.RESPONSE_TIME, timings.response_time, (exchange.origin,))
        for span in timings.spans:
            yield Reading(m.RESPONSE_TIME_SPAN, span.seconds, (span.name.replace(" ", "_"),))
    for bar in timings.bars:
        yield Reading(m.STAGE, bar.seconds, (bar.name,))
    for metric, value in (
        (m.FIRST_TOKEN, timings.ttft),
        (m.DECODE, timings.tokens_per_second),
        (m.PREFILL, exchange.rates["prefill_rate"]),
        (m.STT_RTF, exchange.rates["stt_rtf"]),
        (m.TTS_RTF, exchange.rates["tts_rtf"]),
    ):
        if value is not None:
            yield Reading(metric, value)
    for kind, tokens in (
        ("prompt", timings.prompt_tokens - timings.reused_tokens),
        ("reused", timings.reused_tokens),
        ("reply", timings.reply_tokens),
    ):
        if tokens > 0:
            yield Reading(m.TOKENS, float(tokens), (kind,))
