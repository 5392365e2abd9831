"""Metrics as a Prometheus server fetches them, over loopback."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edgevoice import events as ev
from edgevoice.errors import EdgevoiceError
from edgevoice.metrics.catalog import CATALOG
from edgevoice.metrics.prometheus import CONNECTION_TIMEOUT, MAX_CLIENTS, Exposition, MetricsServer
from tests import sessions
from tests.metrics.told import WORDS, readings, spoken

Samples = dict[str, dict[tuple[str, ...], float]]


def fetched(url: str) -> str:
    """The text behind `url`."""
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)) as asked:
        asked.request("GET", parts.path)
        with asked.getresponse() as answer:
            assert answer.status == 200
            return answer.read().decode()


def parsed(text: str) -> Samples:
    """Every sample, by its name and its labels as `name=value`, as Prometheus's parser reads it."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(
                sorted(f"{name}={value}" for name, value in sample.labels.items() if value)
            )
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


@pytest.fixture
def exposition() -> Exposition:
    return Exposition()


@pytest.fixture
def endpoint(exposition: Exposition) -> Iterator[MetricsServer]:
    """Served on a port that is free."""
    served = MetricsServer(exposition, "127.0.0.1", 0)
    yield served
    served.close()


def test_what_is_served_can_be_parsed_and_is_what_was_told(
    exposition: Exposition, endpoint: MetricsServer
) -> None:
    """Two answered turns: count, sum and buckets of their response times."""
    found = readings(sessions.conversation().events)
    for reading in found:
        exposition.add(reading)
    samples = parsed(fetched(endpoint.url))
    response_times = [r.value for r in found if r.metric.name == "edgevoice.response_time"]
    assert samples["edgevoice_turns_total"] == {("outcome=answered",): 2.0}
    assert samples["edgevoice_response_time_seconds_count"] == {("origin=speech",): 2.0}
    assert samples["edgevoice_response_time_seconds_sum"]["origin=speech",] == pytest.approx(
        sum(response_times)
    )
    buckets = samples["edgevoice_response_time_seconds_bucket"]
    assert buckets["le=1.0", "origin=speech"] == sum(
        response_time <= 1.0 for response_time in response_times
    )
    assert buckets["le=+Inf", "origin=speech"] == 2.0
    assert samples["process_resident_memory_bytes"] == {(): 1_717_986_918.0}


def test_every_metric_is_explained_in_what_is_served(
    exposition: Exposition, endpoint: MetricsServer
) -> None:
    """Help and type are there for each, before there was a single turn."""
    text = fetched(endpoint.url)
    for metric in CATALOG:
        kind = "histogram" if metric.kind == "histogram" else metric.kind
        assert f"# HELP {metric.prometheus} {metric.help}\n" in text
        assert f"# TYPE {metric.prometheus} {kind}\n" in text


def test_only_the_models_in_use_are_told(exposition: Exposition, endpoint: MetricsServer) -> None:
    """After a change of models the former ones are in no series any more."""
    for model in ("one", "another"):
        session = sessions.Session().add(
            ev.SessionStarted(version="1", schema=1, wall="", platform="Linux",
                              models={"slm": model}, input="", output="")
        )  # fmt: skip
        for reading in readings(session.events):
            exposition.add(reading)
    assert parsed(fetched(endpoint.url))["edgevoice_models_info"] == {("slm=another",): 1.0}


def test_no_word_that_was_said_is_served(exposition: Exposition, endpoint: MetricsServer) -> None:
    """Of the real pipeline's whole session, neither question nor reply is in the text."""
    for reading in readings(spoken()):
        exposition.add(reading)
    text = fetched(endpoint.url).lower()
    assert 'edgevoice_turns_total{outcome="answered",reason=""} 1.0' in text
    assert [word for word in WORDS if word in text] == []


def test_a_port_that_is_taken_is_an_error_with_a_way_out(exposition: Exposition) -> None:
    """What failed, at which address, and another port to choose."""
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        with pytest.raises(EdgevoiceError) as raised:
            MetricsServer(exposition, "127.0.0.1", port)
    assert f"in use: {port}" in raised.value.what
    assert raised.value.where == f"metrics.prometheus, 127.0.0.1:{port}"
    assert "--metrics" in raised.value.remedy


def test_an_address_of_another_machine_is_an_error_with_a_way_out(exposition: Exposition) -> None:
    """192.0.2.1 is nobody's: it is kept for examples."""
    with pytest.raises(EdgevoiceError, match="cannot be served there") as raised:
        MetricsServer(exposition, "192.0.2.1", 0)
    assert raised.value.remedy


def test_an_ipv6_address_will_do_too(exposition: Exposition) -> None:
    """Where this machine has IPv6, its loopback can be served as well."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 on this machine")
    served = MetricsServer(exposition, "::1", 0)
    try:
        assert served.url.startswith("http://[::1]:")
        assert fetched(served.url)
    finally:
        served.close()


def test_closed_it_gives_its_port_back(exposition: Exposition) -> None:
    """The next one may have the same port at once."""
    first = MetricsServer(exposition, "127.0.0.1", 0)
    port = urlsplit(first.url).port
    assert fetched(first.url)
    first.close()
    again = MetricsServer(exposition, "127.0.0.1", port or 0)
    again.close()
    assert again.url == first.url


def test_to_serve_asks_nobody_for_a_name(
    exposition: Exposition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither this machine's name nor the caller's is looked up: that would be a network call."""

    def asked(*words: object) -> str:
        raise AssertionError(f"a name was looked up: {words}")

    for name in ("getfqdn", "gethostbyaddr", "gethostbyname", "getnameinfo"):
        monkeypatch.setattr(socket, name, asked)
    served = MetricsServer(exposition, "127.0.0.1", 0)
    try:
        assert fetched(served.url)
    finally:
        served.close()


def status(url: str, path: str) -> int:
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)) as asked:
        asked.request("GET", path)
        with asked.getresponse() as answer:
            return answer.status


def test_an_orchestrator_is_told_whether_it_runs_and_whether_it_can_answer(
    exposition: Exposition, endpoint: MetricsServer
) -> None:
    """It lives from the beginning, and is ready as long as `edgevoice_ready` is 1."""
    assert status(endpoint.url, "/livez") == 200
    assert status(endpoint.url, "/readyz") == 503
    session = sessions.Session().ready()
    for reading in readings(session.events):
        exposition.add(reading)
    assert status(endpoint.url, "/readyz") == 200
    lost = session.add(ev.DeviceLost(kind="input", name="mic", remedy=""))
    for reading in readings(lost.events):
        exposition.add(reading)
    assert status(endpoint.url, "/readyz") == 503
    assert status(endpoint.url, "/livez") == 200


def test_clients_that_say_nothing_do_not_keep_others_away_for_good(
    endpoint: MetricsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that stay idle are closed soon, and so is what is more than are served at once."""
    from edgevoice.metrics import prometheus

    monkeypatch.setattr(prometheus, "CONNECTION_TIMEOUT", 0.5)
    parts = urlsplit(endpoint.url)
    idle = [
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20)
        for _ in range(prometheus.MAX_CLIENTS + 4)
    ]
    try:
        for each in idle:
            assert each.recv(1) == b"", "closed by the server, though nothing was sent"
        assert fetched(endpoint.url)
    finally:
        for each in idle:
            each.close()


def test_a_probe_is_answered_at_once_behind_silent_clients(endpoint: MetricsServer) -> None:
    """The one that has been silent longest makes way; the others stay."""
    parts = urlsplit(endpoint.url)
    with ExitStack() as stack:
        idle = [
            stack.enter_context(
                socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20)
            )
            for _ in range(MAX_CLIENTS)
        ]
        begun = time.monotonic()
        assert status(endpoint.url, "/livez") == 200
        assert time.monotonic() - begun < CONNECTION_TIMEOUT / 2
        assert idle[0].recv(1) == b""
        idle[-1].sendall(b"GET /livez HTTP/1.0\r\n\r\n")
        assert idle[-1].recv(12) == b"HTTP/1.0 200"


def raw(url: str, method: str, path: str) -> tuple[str, bytes]:
    """The headers and the body as they come, whatever they should be."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as asked:
        asked.sendall(f"{method} {path} HTTP/1.0\r\n\r\n".encode())
        with asked.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
    return head.decode(), body


@pytest.mark.parametrize("accept", ["version=1.0.0&amp;", "version=x", "version=1.1e9", "version="])
def test_a_request_without_sense_gets_an_answer_and_no_traceback(
    endpoint: MetricsServer, capfd: pytest.CaptureFixture[str], accept: str
) -> None:
    """Whatever a client says that it accepts, nothing is written over the screen."""
    parts = urlsplit(endpoint.url)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)) as asked:
        asked.request(
            "GET", "/metrics", headers={"Accept": f"application/openmetrics-text;{accept}"}
        )
        with asked.getresponse() as answer:
            assert answer.status in (200, 400)
            assert answer.read()
    assert capfd.readouterr().err == ""
    assert fetched(endpoint.url)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/", "/nope"])
def test_head_has_the_headers_of_get_and_no_body(endpoint: MetricsServer, path: str) -> None:
    """A body would be taken for the beginning of the next answer."""
    shown, body = raw(endpoint.url, "GET", path)
    head, nothing = raw(endpoint.url, "HEAD", path)
    assert nothing == b""
    assert head.splitlines()[0] == shown.splitlines()[0]
    assert f"Content-Length: {len(body)}" in head.splitlines()


@pytest.mark.parametrize("path", ["/nope", "/metric", "/metrics/x", "/favicon.ico"])
def test_an_unknown_path_is_not_found(endpoint: MetricsServer, path: str) -> None:
    """A mistyped probe is no success; the metrics are at / and /metrics alone."""
    head, body = raw(endpoint.url, "GET", path)
    assert head.startswith("HTTP/1.0 404 ")
    assert b"the metrics are at /metrics" in body
    assert status(endpoint.url, "/") == status(endpoint.url, "/metrics?name=x") == 200
