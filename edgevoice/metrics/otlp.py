"""Spans and metrics on their way to a collector, to wherever the standard OTEL_* variables say."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import (
    MetricExportResult,
    MetricReader,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

from edgevoice.errors import ConfigError
from edgevoice.metrics.otel import Instruments

Signal = Literal["traces", "metrics"]

SIGNALS: tuple[Signal, ...] = ("traces", "metrics")
COLLECTOR = "http://localhost:4318"
"""Where a collector listens unless a variable says otherwise; OpenTelemetry's own default."""
PROTOCOL = "http/protobuf"
HASTE = 2.0
"""Seconds that sending what is left may take at the end."""
DOUBT = 0.2
"""The same, where nothing got through before."""


def endpoints(environ: Mapping[str, str]) -> dict[Signal, str]:
    """Where each signal is sent; one that is switched off is left out.

    Raises ConfigError where a variable asks for what there is not.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return {}
    found: dict[Signal, str] = {}
    for signal in SIGNALS:
        name = f"OTEL_{signal.upper()}_EXPORTER"
        exporter = environ.get(name, "").strip() or "otlp"
        if exporter == "none":
            continue
        if exporter != "otlp":
            raise ConfigError(
                f"{name} is {exporter!r}, and edgevoice sends by OTLP alone",
                where=name,
                remedy=f"set {name} to otlp or none; a collector can pass it on as anything",
            )
        protocol, variable = _variable(environ, signal, "PROTOCOL")
        if protocol not in ("", PROTOCOL):
            raise ConfigError(
                f"{variable} is {protocol!r}, and edgevoice speaks {PROTOCOL} alone",
                where=variable,
                remedy=f"set {variable} to {PROTOCOL}; collectors listen for it on port 4318",
            )
        found[signal] = _endpoint(environ, signal)
    return found


def _variable(environ: Mapping[str, str], signal: Signal, what: str) -> tuple[str, str]:
    """The value of the signal's own variable or of the one for all, and which of them it is of."""
    own, shared = f"OTEL_EXPORTER_OTLP_{signal.upper()}_{what}", f"OTEL_EXPORTER_OTLP_{what}"
    if value := environ.get(own, "").strip():
        return value, own
    return environ.get(shared, "").strip(), shared


def _endpoint(environ: Mapping[str, str], signal: Signal) -> str:
    value, variable = _variable(environ, signal, "ENDPOINT")
    whole = variable != "OTEL_EXPORTER_OTLP_ENDPOINT"
    url = value if whole else f"{(value or COLLECTOR).removesuffix('/')}/v1/{signal}"
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
        assert parts.port is None or parts.port > 0
    except (ValueError, AssertionError):
        known = False
    if not known:
        raise ConfigError(
            f"{variable} is no address to send to: {value!r}",
            where=variable,
            remedy=f"set it as {variable}={COLLECTOR}",
        )
    return url


def shown(url: str) -> str:
    """`url` as it may be shown: without a password that stands in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


class _Trouble:
    """Tells once that nothing gets through, however often it does not."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.told = False
        self._lock = threading.Lock()

    def __call__(self, url: str) -> None:
        with self._lock:
            told, self.told = self.told, True
        if not told:
            self._tell(
                f"numbers do not arrive at {shown(url)}, and some are lost; everything else goes "
                "on. Start a collector there, or set OTEL_EXPORTER_OTLP_ENDPOINT"
            )


class _Spans(OTLPSpanExporter):
    def __init__(self, url: str, trouble: _Trouble) -> None:
        super().__init__(endpoint=url)
        self._url, self._trouble = url, trouble

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        if result is not SpanExportResult.SUCCESS:
            self._trouble(self._url)
        return result


class _Metrics(OTLPMetricExporter):
    def __init__(self, url: str, trouble: _Trouble) -> None:
        super().__init__(endpoint=url)
        self._url, self._trouble = url, trouble

    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        result = super().export(metrics_data, timeout_millis, **kwargs)
        if result is not MetricExportResult.SUCCESS:
            self._trouble(self._url)
        return result


class Sender:
    """Sends spans and metrics to `urls` from threads of its own, until it is closed.

    `now` is the present session time; `tell` is called once if nothing gets through.
    """

    def __init__(self, urls: Mapping[Signal, str], now: float, tell: Callable[[str], None]) -> None:
        # What the SDK has to say is for --debug; unasked, it would be written over the screen.
        logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
        self._urls = urls
        self._trouble = _Trouble(tell)
        self._exporters: list[_Spans | _Metrics] = []
        processors: list[SpanProcessor] = []
        readers: list[MetricReader] = []
        if url := urls.get("traces"):
            spans = _Spans(url, self._trouble)
            processors.append(BatchSpanProcessor(spans))
            self._exporters.append(spans)
        if url := urls.get("metrics"):
            metrics = _Metrics(url, self._trouble)
            readers.append(PeriodicExportingMetricReader(metrics))
            self._exporters.append(metrics)
        self.instruments = Instruments(now, processors, readers)

    def close(self, haste: float = HASTE) -> None:
        """Send what is left, within `haste` seconds; what does not get through by then is lost."""
        haste = min(haste, DOUBT) if self._trouble.told else haste
        end = time.monotonic() + haste
        closing = [
            _started(self.instruments.tracers.shutdown),
            _started(lambda: self.instruments.meters.shutdown(haste * 1000)),
        ]
        for thread in closing:
            thread.join(max(0.0, end - time.monotonic()))
        if any(thread.is_alive() for thread in closing):
            # Ends the wait for another try; the threads are nobody's concern after that.
            for exporter in self._exporters:
                exporter.shutdown()
            self._trouble(next(iter(self._urls.values())))


def _started(work: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        except Exception as error:
            # The meters' shutdown raises where their last batch was late.
            logging.getLogger(__name__).debug("OpenTelemetry did not end cleanly: %s", error)

    thread = threading.Thread(target=run, name="last numbers", daemon=True)
    thread.start()
    return thread
