"""Pass spans and metrics to the OpenTelemetry SDK."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Counter, Histogram, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

from edgevoice import __version__
from edgevoice.metrics.catalog import CATALOG, Metric, Reading
from edgevoice.metrics.spans import TraceSpan

SERVICE_NAME = "edgevoice"


class Instruments:
    """The metrics and spans of one process; `now` is the present session time.

    Use it from one thread; readers may read from others.
    """

    def __init__(
        self, now: float, processors: Sequence[SpanProcessor], readers: Sequence[MetricReader]
    ) -> None:
        # Mapped to wall time once, so that setting the clock does not change a span's length.
        self._origin = time.time_ns() - round(now * 1e9)
        options = {
            "service.name": SERVICE_NAME,
            "service.version": __version__,
            "service.instance.id": str(uuid.uuid4()),
        }
        # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence.
        resource = Resource.create(options).merge(OTELResourceDetector().detect())
        self.tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
        for processor in processors:
            self.tracers.add_span_processor(processor)
        self._tracer = self.tracers.get_tracer(SERVICE_NAME, __version__)
        self.meters = MeterProvider(readers, resource, shutdown_on_exit=False)
        self._lock = threading.Lock()
        self._gauges: dict[Metric, dict[tuple[str, ...], float]] = {}
        self._added: dict[Metric, Counter | Histogram] = {}
        for metric in CATALOG:
            self._make(metric)

    def _make(self, metric: Metric) -> None:
        meter = self.meters.get_meter(SERVICE_NAME, __version__)
        options = {"unit": metric.unit, "description": metric.help}
        if metric.kind == "counter":
            self._added[metric] = meter.create_counter(metric.name, **options)
        elif metric.kind == "histogram":
            self._added[metric] = meter.create_histogram(
                metric.name, **options, explicit_bucket_boundaries_advisory=metric.buckets
            )
        else:
            self._gauges[metric] = {}
            meter.create_observable_gauge(metric.name, [self._observed(metric)], **options)

    def _observed(self, metric: Metric) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(options: CallbackOptions) -> Iterable[Observation]:
            with self._lock:
                values = dict(self._gauges[metric])
            return [Observation(value, _attributes(metric, key)) for key, value in values.items()]

        return observe

    def add(self, reading: Reading) -> None:
        """Record one reading."""
        metric, labels = reading.metric, reading.labels
        instrument = self._added.get(metric)
        if isinstance(instrument, Counter):
            instrument.add(reading.value, _attributes(metric, labels))
        elif isinstance(instrument, Histogram):
            instrument.record(reading.value, _attributes(metric, labels))
        else:
            with self._lock:
                if metric.sole:
                    self._gauges[metric].clear()
                self._gauges[metric][labels] = reading.value

    def draw(self, span: TraceSpan, parent: trace.Span | None = None) -> None:
        """Record a span with its inner spans; without a parent it starts a trace of its own."""
        # An explicit context, not the one that is current in this thread.
        context = Context() if parent is None else trace.set_span_in_context(parent, Context())
        one = self._tracer.start_span(
            span.name, context, attributes=span.attributes, start_time=self._wall(span.start)
        )
        for name, at in span.marks:
            one.add_event(name, timestamp=self._wall(at))
        if span.failed:
            one.set_status(trace.StatusCode.ERROR, f"{span.failed} failed")
            one.set_attribute("error.type", f"{span.failed}_failed")
        for inner in span.inner:
            self.draw(inner, one)
        one.end(self._wall(span.end))

    def _wall(self, t: float) -> int:
        """Nanoseconds since 1970 at session time `t`."""
        return self._origin + round(t * 1e9)


def _attributes(metric: Metric, labels: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in zip(metric.labels, labels, strict=True) if value}
