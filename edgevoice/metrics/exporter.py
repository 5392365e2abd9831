"""Export metrics and spans: events are queued at once and processed in a thread of its own."""

from __future__ import annotations

import ipaddress
import os
import queue
import re
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from edgevoice import events as ev
from edgevoice.bus import Bus
from edgevoice.errors import ConfigError, EdgevoiceError
from edgevoice.metrics.catalog import Reading
from edgevoice.metrics.exchanges import Exchanges
from edgevoice.metrics.readings import Readings, of
from edgevoice.metrics.spans import TraceSpan, drawn
from edgevoice.settings import MetricsSettings

if TYPE_CHECKING:
    from edgevoice.metrics.otlp import Signal

DEFAULT_HOST = "127.0.0.1"
ADDRESS_PATTERN = re.compile(r"(?:(?:\[([0-9a-fA-F:.]+)\]|([^\s:\[\]/]+)):)?([0-9]{1,5})")
"""PORT, HOST:PORT, or [HOST]:PORT of an IPv6 address."""
MAX_PORT = 65_535
FLUSH_TIMEOUT = 2.0
"""Seconds that the last events may take at the end."""


class Exporter:
    """A subscriber that passes every reading to all `meters` and every span to all `tracers`.

    `tell` shows a notice during a session; notices without a session are in `late`.
    """

    def __init__(self, emit: Callable[[ev.Event], None]) -> None:
        self.meters: list[Callable[[Reading], None]] = []
        self.tracers: list[Callable[[TraceSpan], None]] = []
        self.opening: list[str] = []
        """Notices to show when the first session starts."""
        self.late: list[str] = []
        self._emit = emit
        self._in_session = False
        self._lock = threading.Lock()
        self._events: queue.SimpleQueue[ev.Event | None] = queue.SimpleQueue()
        self._exchanges, self._readings = Exchanges(), Readings()
        self._models: dict[str, str] = {}
        self._conversation = uuid.uuid4().hex
        self._thread = threading.Thread(target=self._run, name="numbers", daemon=True)

    def __call__(self, event: ev.Event) -> None:
        """Queue one event; never waits."""
        if isinstance(event, ev.SessionStarted | ev.SessionEnded):
            with self._lock:
                self._in_session = isinstance(event, ev.SessionStarted)
        if not isinstance(event, ev.Level | ev.PlaybackProgress | ev.Notice):
            self._events.put(event)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Process the queued events, and end the thread."""
        self._events.put(None)
        self._thread.join(FLUSH_TIMEOUT)

    def tell(self, text: str) -> None:
        """Show the notice `text` to the user."""
        with self._lock:
            if not self._in_session:
                self.late.append(text)
                return
        self._emit(ev.Notice(text=text))

    def _run(self) -> None:
        broken = False
        while (event := self._events.get()) is not None:
            if broken:
                continue
            try:
                self._process(event)
            except Exception as error:
                broken = True
                self.tell(f"metrics stopped after an error: {type(error).__name__}: {error}")

    def _process(self, event: ev.Event) -> None:
        match event:
            case ev.SessionStarted():
                self._models = dict(event.models)
                with self._lock:
                    told = [*self.opening, *self.late]
                    self.opening.clear()
                    self.late.clear()
                for text in told:
                    self.tell(text)
            case ev.EngineReady():
                self._models[event.role] = event.model
            case ev.ConversationCleared():
                self._conversation = uuid.uuid4().hex
            case _:
                pass
        self._emit_readings(self._readings.add(event))
        for exchange in self._exchanges.add(event):
            self._emit_readings(of(exchange))
            if self.tracers:
                span = drawn(exchange, self._models, self._conversation)
                for draw in self.tracers:
                    draw(span)

    def _emit_readings(self, readings: Iterator[Reading]) -> None:
        for reading in readings:
            for add in self.meters:
                add(reading)


@contextmanager
def opened(settings: MetricsSettings, bus: Bus) -> Iterator[Exporter]:
    """Export metrics of the events on `bus` during the block, as the settings say.

    Raises ConfigError for an invalid setting or variable, and EdgevoiceError if an address cannot
    be used or a package is missing.
    """
    exporter = Exporter(bus.emit)
    with ExitStack() as stack:
        if settings.prometheus:
            url = _serve(exporter, settings.prometheus, stack)
            exporter.opening.append(f"metrics for Prometheus at {url}")
        if settings.otel:
            urls = _destinations()
            exporter.opening.append(_send(exporter, urls, bus.clock.now(), stack))
        exporter.start()
        stack.callback(exporter.close)
        stack.callback(bus.subscribe(exporter))
        yield exporter


def check(settings: MetricsSettings) -> None:
    """Find out what can be found out before anything is fetched or loaded; raises as `opened`."""
    if settings.prometheus:
        address(settings.prometheus)
    if settings.otel:
        _destinations()


def address(text: str) -> tuple[str, int]:
    """Host and port of PORT, HOST:PORT or [HOST]:PORT. Raises ConfigError."""
    found = ADDRESS_PATTERN.fullmatch(text.strip())
    host, port = (found[1] or found[2] or DEFAULT_HOST, int(found[3])) if found else ("", 0)
    if not host or port > MAX_PORT:
        raise ConfigError(
            f"invalid metrics address {text!r}",
            where="metrics.prometheus",
            remedy="use a port or an address: --metrics 9464, --metrics 0.0.0.0:9464",
        )
    return host, port


def _serve(exporter: Exporter, text: str, stack: ExitStack) -> str:
    host, port = address(text)
    try:
        from edgevoice.metrics.prometheus import Exposition, MetricsServer
    except ModuleNotFoundError as error:
        raise _missing(
            error, "prometheus_client", "prometheus-client", "metrics.prometheus"
        ) from None
    exposition = Exposition()
    endpoint = MetricsServer(exposition, host, port)
    stack.callback(endpoint.close)
    exporter.meters.append(exposition.add)
    if _is_loopback(host):
        return endpoint.url
    return f"{endpoint.url}: warning: open to the network, without a password"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name may mean any address


def _destinations() -> dict[Signal, str]:
    try:
        from edgevoice.metrics.otlp import endpoints
    except ModuleNotFoundError as error:
        raise _missing(error, "opentelemetry", "edgevoice[otel]", "metrics.otel") from None
    return endpoints(os.environ)


def _send(exporter: Exporter, urls: dict[Signal, str], now: float, stack: ExitStack) -> str:
    if not urls:
        return "OpenTelemetry is disabled by the OTEL_* variables"
    from edgevoice.metrics.otlp import Sender, shown

    try:
        sender = Sender(urls, now, exporter.tell)
    except (ValueError, RuntimeError) as error:
        raise ConfigError(
            f"OpenTelemetry cannot be set up: {error}",
            where="metrics.otel",
            remedy="correct or unset the OTEL_* variables",
        ) from None
    stack.callback(sender.close)
    if "metrics" in urls:
        exporter.meters.append(sender.instruments.add)
    if "traces" in urls:
        exporter.tracers.append(sender.instruments.draw)
    destinations = " and ".join(f"{signal} to {shown(url)}" for signal, url in urls.items())
    return f"OpenTelemetry sends {destinations}"


def _missing(
    error: ModuleNotFoundError, module: str, package: str, setting: str
) -> EdgevoiceError | ModuleNotFoundError:
    """The error for a missing package: `error` itself, unless the package is `module`."""
    if (error.name or "").split(".")[0] != module:
        return error
    return EdgevoiceError(
        f"{package} is not installed",
        where=setting,
        remedy=f'{sys.executable} -m pip install "{package}"',
    )
