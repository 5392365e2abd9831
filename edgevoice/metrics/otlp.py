"""Send spans and metrics to the collector that the standard OTEL_* variables name."""

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
DEFAULT_COLLECTOR = "http://localhost:4318"
"""The collector's address without a variable; OpenTelemetry's own default."""
PROTOCOL = "http/protobuf"
SHUTDOWN_TIMEOUT = 2.0
"""Seconds that sending the last data may take at the end."""
FAILED_SHUTDOWN_TIMEOUT = 0.2
"""The same after a failure to send."""


def endpoints(environ: Mapping[str, str]) -> dict[Signal, str]:
    """The URL of each signal; disabled signals are left out.

    Raises ConfigError for an unsupported value of a variable.
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
                f"{name} is {exporter!r}, but edgevoice supports only OTLP",
                where=name,
                remedy=f"set {name} to otlp or none; a collector can convert it",
            )
        protocol, variable = _variable(environ, signal, "PROTOCOL")
        if protocol not in ("", PROTOCOL):
            raise ConfigError(
                f"{variable} is {protocol!r}, but edgevoice supports only {PROTOCOL}",
                where=variable,
                remedy=f"set {variable} to {PROTOCOL}; collectors listen for it on port 4318",
            )
        found[signal] = _endpoint(environ, signal)
    return found


def _variable(environ: Mapping[str, str], signal: Signal, what: str) -> tuple[str, str]:
    """The value of the signal's own variable or the common one, and the variable's name."""
    own, shared = f"OTEL_EXPORTER_OTLP_{signal.upper()}_{what}", f"OTEL_EXPORTER_OTLP_{what}"
    if value := environ.get(own, "").strip():
        return value, own
    return environ.get(shared, "").strip(), shared


def _endpoint(environ: Mapping[str, str], signal: Signal) -> str:
    value, variable = _variable(environ, signal, "ENDPOINT")
    whole = variable != "OTEL_EXPORTER_OTLP_ENDPOINT"
    url = value if whole else f"{(value or DEFAULT_COLLECTOR).removesuffix('/')}/v1/{signal}"
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
        assert parts.port is None or parts.port > 0
    except (ValueError, AssertionError):
        known = False
    if not known:
        raise ConfigError(
            f"{variable} is not a valid URL: {value!r}",
            where=variable,
            remedy=f"set it, for example {variable}={DEFAULT_COLLECTOR}",
        )
    return url


def shown(url: str) -> str:
    """`url` without its password, to be shown."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


class _FailureNotice:
    """Shows one notice at the first failure to send."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.notified = False
        self._lock = threading.Lock()

    def __call__(self, url: str) -> None:
        with self._lock:
            notified, self.notified = self.notified, True
        if not notified:
            self._tell(
                f"metrics cannot be sent to {shown(url)}, and some are lost; the conversation "
                "goes on. Start a collector there, or set OTEL_EXPORTER_OTLP_ENDPOINT"
            )


class _Spans(OTLPSpanExporter):
    def __init__(self, url: str, failure: _FailureNotice) -> None:
        super().__init__(endpoint=url)
        self._url, self._failure = url, failure

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        if result is not SpanExportResult.SUCCESS:
            self._failure(self._url)
        return result


class _Metrics(OTLPMetricExporter):
    def __init__(self, url: str, failure: _FailureNotice) -> None:
        super().__init__(endpoint=url)
        self._url, self._failure = url, failure

    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        result = super().export(metrics_data, timeout_millis, **kwargs)
        if result is not MetricExportResult.SUCCESS:
            self._failure(self._url)
        return result


class Sender:
    """Sends spans and metrics to `urls` from threads of its own, until it is closed.

    `now` is the present session time; `tell` gets one notice if sending fails.
    """

    def __init__(self, urls: Mapping[Signal, str], now: float, tell: Callable[[str], None]) -> None:
        # The SDK's messages are for --debug; otherwise they would be written over the screen.
        logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
        self._urls = urls
        self._failure = _FailureNotice(tell)
        self._exporters: list[_Spans | _Metrics] = []
        processors: list[SpanProcessor] = []
        readers: list[MetricReader] = []
        if url := urls.get("traces"):
            spans = _Spans(url, self._failure)
            processors.append(BatchSpanProcessor(spans))
            self._exporters.append(spans)
        if url := urls.get("metrics"):
            metrics = _Metrics(url, self._failure)
            readers.append(PeriodicExportingMetricReader(metrics))
            self._exporters.append(metrics)
        self.instruments = Instruments(now, processors, readers)

    def close(self, timeout: float = SHUTDOWN_TIMEOUT) -> None:
        """Send the last data within `timeout` seconds; the rest is lost."""
        timeout = min(timeout, FAILED_SHUTDOWN_TIMEOUT) if self._failure.notified else timeout
        end = time.monotonic() + timeout
        closing = [
            _started(self.instruments.tracers.shutdown),
            _started(lambda: self.instruments.meters.shutdown(timeout * 1000)),
        ]
        for thread in closing:
            thread.join(max(0.0, end - time.monotonic()))
        if any(thread.is_alive() for thread in closing):
            # Ends the wait for another attempt; the daemon threads are left behind.
            for exporter in self._exporters:
                exporter.shutdown()
            self._failure(next(iter(self._urls.values())))


def _started(work: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        except Exception as error:
            # The meters' shutdown raises if the last batch was late.
            logging.getLogger(__name__).debug("OpenTelemetry did not end cleanly: %s", error)

    thread = threading.Thread(target=run, name="last numbers", daemon=True)
    thread.start()
    return thread
