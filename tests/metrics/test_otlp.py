"""Where spans and metrics are sent, and what happens when nobody is there."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from edgevoice.errors import ConfigError
from edgevoice.metrics.otlp import Sender, endpoints, shown
from edgevoice.metrics.readings import of
from edgevoice.metrics.spans import drawn
from tests import sessions
from tests.metrics.collector import PATIENCE, collecting
from tests.metrics.told import WORDS, exchanges, spoken


def nobody() -> str:
    """An address of this machine at which nothing listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as once:
        return f"http://127.0.0.1:{once.getsockname()[1]}"


def told(sender: Sender) -> None:
    """Give it one answered turn of the real pipeline."""
    for exchange in exchanges(spoken()):
        sender.instruments.draw(drawn(exchange, sessions.MODELS, "id"))
        for reading in of(exchange):
            sender.instruments.add(reading)


def test_a_collector_gets_every_stage_and_no_word() -> None:
    """Spans and metrics of a turn arrive where the variable says, and no word is in any byte."""
    said: list[str] = []
    with collecting() as collector:
        sender = Sender(
            endpoints({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}), 50.0, said.append
        )
        told(sender)
        sender.close(PATIENCE)
        assert {"turn", "recognize", "prefill", "decode", "synthesize", "play"} <= set(
            collector.spans()
        )
        assert {"edgevoice.turns", "edgevoice.response_time"} <= collector.metrics()
        sent = b"".join(body for _, body in collector.requests).lower()
    assert said == []
    assert [word for word in WORDS if word.encode() in sent] == []


def test_where_nobody_listens_that_is_said_once_and_the_end_does_not_wait() -> None:
    """However many batches are lost: one sentence, with the address and the variable to set."""
    said: list[str] = []
    url = nobody()
    sender = Sender(endpoints({"OTEL_EXPORTER_OTLP_ENDPOINT": url}), 50.0, said.append)
    told(sender)
    told(sender)
    sender.close(timeout=0.1)
    (text,) = said
    assert url in text
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in text


def test_a_collector_that_refuses_is_told_of_once() -> None:
    """Somebody listens but does not take numbers: the same sentence."""
    said: list[str] = []
    with collecting(status=404) as collector:
        sender = Sender(
            endpoints({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}), 50.0, said.append
        )
        told(sender)
        sender.close(PATIENCE)
        assert {path for path, _ in collector.requests} == {"/v1/traces", "/v1/metrics"}
    assert len(said) == 1
    assert collector.url in said[0]


def test_a_collector_that_never_answers_does_not_hold_up_the_end() -> None:
    """It takes the request and says nothing: closing gives up, and says what was lost."""
    said: list[str] = []
    with collecting(stuck=True) as collector:
        sender = Sender(
            endpoints({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}), 50.0, said.append
        )
        told(sender)
        sender.close(timeout=0.1)
        assert len(said) == 1
        assert not collector.go_on.is_set()


def test_a_collector_is_looked_for_on_this_machine_unless_told_otherwise() -> None:
    """Nothing leaves the machine by default."""
    assert endpoints({}) == {
        "traces": "http://localhost:4318/v1/traces",
        "metrics": "http://localhost:4318/v1/metrics",
    }


def test_a_signal_may_have_an_address_of_its_own_or_none() -> None:
    """The signal's variable is taken as it stands; `none` switches the signal off."""
    assert endpoints(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "https://numbers.example/otlp/",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces.example/in",
        }
    ) == {
        "traces": "http://traces.example/in",
        "metrics": "https://numbers.example/otlp/v1/metrics",
    }
    assert set(endpoints({"OTEL_TRACES_EXPORTER": "none"})) == {"metrics"}
    assert endpoints({"OTEL_SDK_DISABLED": "True"}) == {}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:port"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
    ],
)
def test_a_variable_that_asks_for_what_there_is_not_is_named(variable: str, value: str) -> None:
    """The variable at fault, its value, and what to set it to."""
    with pytest.raises(ConfigError) as raised:
        endpoints({variable: value})
    assert raised.value.where == variable
    assert value in raised.value.what
    assert f"{variable}" in raised.value.remedy


def test_a_password_in_an_address_is_not_shown() -> None:
    """Neither in the notice at the start nor in one of trouble."""
    url = "https://me:secret@numbers.example:4318/v1/traces?key=secret"
    assert shown(url) == "https://numbers.example:4318/v1/traces"
