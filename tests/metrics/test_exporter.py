"""The way out as a whole: on, off, in trouble, and never in the conversation's way."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from edgevoice import events as ev
from edgevoice.bus import Bus
from edgevoice.cli.metrics import collected
from edgevoice.clock import SystemClock
from edgevoice.errors import ConfigError, EdgevoiceError
from edgevoice.metrics import exporter as module
from edgevoice.metrics.catalog import TURNS, Reading
from edgevoice.metrics.exporter import Exporter, address, opened
from edgevoice.settings import MetricsSettings
from tests import sessions
from tests.metrics.collector import PATIENCE, collecting
from tests.metrics.test_otlp import nobody
from tests.metrics.test_prometheus import fetched, parsed

OFF = """
import sys
from edgevoice.bus import Bus
from edgevoice.cli import metrics, run
from edgevoice.clock import SystemClock
from edgevoice.settings import Config
def opened(event, words):
    if event.startswith("socket."):
        print(event, file=sys.stderr)
sys.addaudithook(opened)
bus = Bus(SystemClock())
metrics.check(Config().metrics)
with metrics.collected(Config().metrics, bus):
    pass
print(*sorted(sys.modules))
"""


class Watched:
    """A bus, what was on it, and a wait for something to be."""

    def __init__(self) -> None:
        self.bus = Bus(SystemClock())
        self.events: list[ev.Event] = []
        self._arrived = threading.Condition()
        self.bus.subscribe(self._note)

    def _note(self, event: ev.Event) -> None:
        with self._arrived:
            self.events.append(event)
            self._arrived.notify_all()

    def play(self, events: list[ev.Event]) -> None:
        for event in events:
            self.bus.emit(event)

    def notices(self, count: int) -> list[str]:
        """What users were told, once it is so much."""

        def found() -> list[str]:
            return [event.text for event in self.events if isinstance(event, ev.Notice)]

        with self._arrived:
            assert self._arrived.wait_for(lambda: len(found()) >= count, PATIENCE), found()
        return found()


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_off_means_that_nothing_is_imported_and_no_socket_made() -> None:
    """With the settings as they come, neither library nor module of ours is loaded."""
    done = subprocess.run(
        [sys.executable, "-c", OFF], capture_output=True, text=True, timeout=60, check=True
    )
    modules = set(done.stdout.split())
    assert "edgevoice.cli.metrics" in modules
    heads = {name.split(".")[0] for name in modules}
    assert heads & {"prometheus_client", "opentelemetry", "requests", "http"} == set()
    assert not [name for name in modules if name.startswith("edgevoice.metrics")]
    assert done.stderr == ""


def test_numbers_of_a_session_are_served_while_it_lasts(watched: Watched) -> None:
    """The address is told in the conversation, and what is served there counts its turns."""
    with opened(MetricsSettings(prometheus="0"), watched.bus) as outlet:
        counted = threading.Event()

        def note(reading: Reading) -> None:
            if reading.metric is TURNS:
                counted.set()

        outlet.meters.append(note)
        watched.play(sessions.loading().events)
        (text,) = watched.notices(1)
        watched.play(sessions.hearing().events[1:])
        assert counted.wait(PATIENCE)
        url = text.removeprefix("metrics for Prometheus at ")
        assert url.startswith("http://127.0.0.1:")
        samples = parsed(fetched(url))
        assert samples["edgevoice_turns_total"] == {("outcome=answered",): 1.0}
    assert watched.bus.dropped == []


def test_the_first_event_of_a_trace_stays_the_first(watched: Watched) -> None:
    """Where the numbers go is told after the session has begun, and only once for all sessions."""
    with opened(MetricsSettings(prometheus="0"), watched.bus):
        watched.play(sessions.loading().events)
        watched.notices(1)
        watched.play([ev.SessionEnded(reason="closed"), *sessions.loading().events])
    assert isinstance(watched.events[0], ev.SessionStarted)
    assert len(watched.notices(1)) == 1


def test_an_address_for_everybody_is_said_to_be_one(watched: Watched) -> None:
    """0.0.0.0 is served to the network, and the user is told so."""
    with opened(MetricsSettings(prometheus="0.0.0.0:0"), watched.bus):
        watched.play(sessions.loading().events)
        assert watched.notices(1)[0].endswith(
            "/metrics: warning: open to the network, without a password"
        )


def test_where_otel_sends_is_told_and_both_ways_out_get_the_same(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both may be on: what a collector gets and what is served come from one reading each."""
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        with opened(MetricsSettings(prometheus="0", otel=True), watched.bus) as outlet:
            watched.play(sessions.failed().events)
            served, sent = watched.notices(2)[:2]
        assert served.startswith("metrics for Prometheus at ")
        assert sent == (
            f"OpenTelemetry sends traces to {collector.url}/v1/traces and metrics to "
            f"{collector.url}/v1/metrics"
        )
        assert collector.spans().count("turn") == 3
        assert "edgevoice.turns" in collector.metrics()
    assert outlet.late == []


def test_an_endpoint_that_nobody_listens_at_does_not_disturb(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every event reaches everyone, nothing but one sentence is written, and that after the end."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", nobody())
    events = [*sessions.failed().events, ev.SessionEnded(reason="closed")]
    with collected(MetricsSettings(otel=True), watched.bus):
        watched.play(events[:1])
        watched.notices(1)
        watched.play(events[1:])
    kinds = [type(event) for event in watched.events if not isinstance(event, ev.Notice)]
    assert kinds == [type(event) for event in events if not isinstance(event, ev.Notice)]
    assert watched.bus.dropped == []
    out, err = capfd.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("edgevoice: metrics cannot be sent to http://127.0.0.1:")


def test_trouble_within_a_session_is_told_in_it(watched: Watched) -> None:
    """As a notice, which the screen and the plain lines show."""
    outlet = Exporter(watched.bus.emit)
    watched.bus.subscribe(outlet)
    watched.play(sessions.loading().events)
    outlet.tell("no collector")
    watched.play([ev.SessionEnded(reason="closed")])
    outlet.tell("still none")
    assert watched.notices(1) == ["no collector"]
    assert outlet.late == ["still none"]


def test_numbers_that_cannot_be_made_cost_only_the_numbers(watched: Watched) -> None:
    """A fault of our own is told once, and the bus goes on with everyone."""
    outlet = Exporter(watched.bus.emit)

    def broken(reading: Reading) -> None:
        raise ZeroDivisionError("of nothing")

    outlet.meters.append(broken)
    watched.bus.subscribe(outlet)
    outlet.start()
    watched.play(sessions.conversation().events)
    assert watched.notices(1) == ["metrics stopped after an error: ZeroDivisionError: of nothing"]
    outlet.close()
    assert watched.bus.dropped == []
    assert outlet.late == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("9464", ("127.0.0.1", 9464)),
        ("0.0.0.0:9464", ("0.0.0.0", 9464)),
        ("board.local:80", ("board.local", 80)),
        ("[::1]:9464", ("::1", 9464)),
        (" 0 ", ("127.0.0.1", 0)),
    ],
)
def test_an_address_is_a_port_or_a_host_with_one(text: str, place: tuple[str, int]) -> None:
    """Without a host it is this machine alone that can fetch them."""
    assert address(text) == place


@pytest.mark.parametrize("text", ["here", "9464:", ":9464", "::1", "70000", "a b:1", "http://h:1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """With the setting, what was said, and how to say it."""
    with pytest.raises(ConfigError) as raised:
        address(text)
    assert raised.value.where == "metrics.prometheus"
    assert text in raised.value.what
    assert "--metrics 9464" in raised.value.remedy


def test_without_its_packages_the_command_that_installs_them_is_told(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With this very Python, and before anything is loaded."""
    for name in [name for name in sys.modules if name.startswith("edgevoice.metrics.otlp")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter", None)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.metric_exporter", None)
    with pytest.raises(EdgevoiceError) as raised:
        module.check(MetricsSettings(otel=True))
    assert raised.value.what == "edgevoice[otel] is not installed"
    assert raised.value.remedy == f'{sys.executable} -m pip install "edgevoice[otel]"'


def test_variables_that_the_sdk_refuses_are_an_error_with_a_way_out(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the SDK says of them, and not its traceback."""
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "-1")
    with (
        pytest.raises(ConfigError, match="cannot be set up"),
        opened(MetricsSettings(otel=True), watched.bus),
    ):
        pass


def test_after_the_block_nobody_listens_any_more(watched: Watched) -> None:
    """The outlet is off the bus, and its thread has ended."""
    before = set(threading.enumerate())
    with opened(MetricsSettings(prometheus="0"), watched.bus) as outlet:
        watched.play(sessions.loading().events)
    assert outlet.late == []
    left = set(threading.enumerate()) - before
    assert not [t for t in left if t.name in ("numbers", "metrics")]
