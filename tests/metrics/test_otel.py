"""Spans and metrics in the OpenTelemetry SDK, taken from its in-memory exporters."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from edgevoice import events as ev
from edgevoice.metrics.catalog import CATALOG, MODELS, RESPONSE_TIME, Reading
from edgevoice.metrics.otel import Instruments
from edgevoice.metrics.spans import drawn
from tests import sessions
from tests.metrics.told import exchanges, readings

NOW = 100.0
"""The session time at which the instruments are made."""


@dataclass
class Collected:
    """Instruments and what has come out of them."""

    instruments: Instruments
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader

    def draw(self, events: list[ev.Event]) -> list[ReadableSpan]:
        for exchange in exchanges(events):
            self.instruments.draw(drawn(exchange, sessions.MODELS, "id"))
        return list(self.exporter.get_finished_spans())

    def points(self) -> dict[str, Any]:
        """The data of every metric that has some, by its name."""
        data = self.reader.get_metrics_data()
        assert data is not None
        (resource,) = data.resource_metrics
        (scope,) = resource.scope_metrics
        return {metric.name: metric for metric in scope.metrics}


@pytest.fixture
def made() -> Iterator[Collected]:
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    instruments = Instruments(NOW, [SimpleSpanProcessor(exporter)], [reader])
    yield Collected(instruments, exporter, reader)
    instruments.tracers.shutdown()
    instruments.meters.shutdown()


def test_each_turn_is_a_trace_of_its_own_with_a_span_for_each_stage(made: Collected) -> None:
    """Two turns: two trace ids, and every stage's span is below its own turn's."""
    spans = made.draw(sessions.conversation().events)
    roots = [span for span in spans if span.parent is None]
    assert [span.name for span in roots] == ["turn", "turn"]
    assert len({span.context.trace_id for span in spans}) == 2
    known = {span.context.span_id: span for span in spans}
    for span in spans:
        if span.parent is not None:
            above = known[span.parent.span_id]
            assert above.context.trace_id == span.context.trace_id
            assert above.start_time <= span.start_time <= span.end_time <= above.end_time  # type: ignore[operator]


def test_session_time_becomes_wall_time_without_losing_a_span_s_length(made: Collected) -> None:
    """A turn 97 seconds before the instruments were made lies 97 seconds back on the wall clock."""
    spans = made.draw(sessions.hearing().events)
    (root,) = [span for span in spans if span.parent is None]
    (exchange,) = exchanges(sessions.hearing().events)
    assert root.start_time is not None
    assert root.end_time is not None
    length = max(exchange.ended, exchange.timings.bars[-1].end) - exchange.started
    assert (root.end_time - root.start_time) / 1e9 == pytest.approx(length)
    before = (time.time_ns() - root.start_time) / 1e9
    assert before > NOW - exchange.started


def test_a_failed_stage_is_an_error_in_the_tracing_tools(made: Collected) -> None:
    """Status and error type name the stage; its message, which may hold words, stays here."""
    spans = made.draw(sessions.failed().events)
    failed = [span for span in spans if span.status.status_code is StatusCode.ERROR]
    assert {span.name for span in failed} == {"turn", "chat qwen2.5-coder-1.5b", "decode"}
    for span in failed:
        assert span.status.description == "agent failed"
        assert (span.attributes or {})["error.type"] == "agent_failed"


def test_moments_are_events_of_their_span(made: Collected) -> None:
    """The first token is marked within the language model's span."""
    spans = made.draw(sessions.hearing().events)
    (answer,) = [span for span in spans if span.name.startswith("chat")]
    assert [event.name for event in answer.events] == ["first token"]


def test_the_metrics_are_those_of_prometheus(made: Collected) -> None:
    """Names, units and buckets are the catalog's, and a response time is in its bucket."""
    found = readings([*sessions.failed().events, *sessions.conversation().events[1:]])
    for reading in found:
        made.instruments.add(reading)
    points = made.points()
    by_name = {metric.name: metric for metric in CATALOG}
    assert set(points) == {reading.metric.name for reading in found}
    assert all(points[name].unit == by_name[name].unit for name in points)
    (response_times,) = points[RESPONSE_TIME.name].data.data_points
    assert tuple(response_times.explicit_bounds) == RESPONSE_TIME.buckets
    assert response_times.count == 3
    assert dict(response_times.attributes) == {"origin": "speech"}
    turns = {
        tuple(p.attributes.values()): p.value for p in points["edgevoice.turns"].data.data_points
    }
    assert turns["answered",] == 2
    assert turns["dropped", "failed"] == 1


def test_only_the_models_in_use_are_told(made: Collected) -> None:
    """After a change of models the former ones are not told any more."""
    for model in ("one", "another"):
        made.instruments.add(Reading(MODELS, 1.0, ("", "", model, "", "")))
    (point,) = made.points()[MODELS.name].data.data_points
    assert dict(point.attributes) == {"slm": "another"}


def test_the_service_can_be_named_by_the_usual_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """It calls itself edgevoice unless OTEL_SERVICE_NAME has another name for it."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=museum")
    assert named()["service.name"] == "edgevoice"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "guide")
    assert named()["service.name"] == "guide"
    assert named()["deployment.environment"] == "museum"


def named() -> dict[str, Any]:
    instruments = Instruments(0.0, [], [])
    return dict(instruments.tracers.resource.attributes)
