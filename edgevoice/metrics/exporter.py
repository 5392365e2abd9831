"""The way out: events are taken from the bus at once and become numbers in a thread of its own."""

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

LOOPBACK = "127.0.0.1"
PLACE = re.compile(r"(?:(?:\[([0-9a-fA-F:.]+)\]|([^\s:\[\]/]+)):)?([0-9]{1,5})")
"""PORT, HOST:PORT, or [HOST]:PORT of an IPv6 address."""
HIGHEST_PORT = 65_535
LAST = 2.0
"""Seconds that making numbers of the last events may take at the end."""


class Exporter:
    """A subscriber that gives every reading to all `meters` and every span to all `tracers`.

    `tell` puts a notice before the user, in the conversation while there is one; what comes too
    late for that is in `late`.
    """

    def __init__(self, emit: Callable[[ev.Event], None]) -> None:
        self.meters: list[Callable[[Reading], None]] = []
        self.tracers: list[Callable[[TraceSpan], None]] = []
        self.opening: list[str] = []
        """What is told once the first session has begun."""
        self.late: list[str] = []
        self._emit = emit
        self._talking = False
        self._lock = threading.Lock()
        self._events: queue.SimpleQueue[ev.Event | None] = queue.SimpleQueue()
        self._exchanges, self._readings = Exchanges(), Readings()
        self._models: dict[str, str] = {}
        self._conversation = uuid.uuid4().hex
        self._thread = threading.Thread(target=self._run, name="numbers", daemon=True)

    def __call__(self, event: ev.Event) -> None:
        """Take one event; never waits."""
        if isinstance(event, ev.SessionStarted | ev.SessionEnded):
            with self._lock:
                self._talking = isinstance(event, ev.SessionStarted)
        if not isinstance(event, ev.Level | ev.PlaybackProgress | ev.Notice):
            self._events.put(event)

    def start(self) -> None:
        """Begin to make numbers."""
        self._thread.start()

    def close(self) -> None:
        """Make numbers of what was taken so far, and of nothing after it."""
        self._events.put(None)
        self._thread.join(LAST)

    def tell(self, text: str) -> None:
        """Have the user read `text` once."""
        with self._lock:
            if not self._talking:
                self.late.append(text)
                return
        self._emit(ev.Notice(text=text))

    def _run(self) -> None:
        broken = False
        while (event := self._events.get()) is not None:
            if broken:
                continue
            try:
                self._take(event)
            except Exception as error:
                broken = True
                self.tell(f"no more numbers are collected: {type(error).__name__}: {error}")

    def _take(self, event: ev.Event) -> None:
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
        self._give(self._readings.add(event))
        for exchange in self._exchanges.add(event):
            self._give(of(exchange))
            if self.tracers:
                span = drawn(exchange, self._models, self._conversation)
                for draw in self.tracers:
                    draw(span)

    def _give(self, readings: Iterator[Reading]) -> None:
        for reading in readings:
            for add in self.meters:
                add(reading)


@contextmanager
def opened(settings: MetricsSettings, bus: Bus) -> Iterator[Exporter]:
    """Numbers of all that happens on `bus` while the block lasts, to where the settings say.

    Raises ConfigError for a setting or variable that makes no sense, and EdgevoiceError where an
    address cannot be had or a package is missing.
    """
    outlet = Exporter(bus.emit)
    with ExitStack() as stack:
        if settings.prometheus:
            url = _serve(outlet, settings.prometheus, stack)
            outlet.opening.append(f"metrics for Prometheus at {url}")
        if settings.otel:
            urls = _destinations()
            outlet.opening.append(_send(outlet, urls, bus.clock.now(), stack))
        outlet.start()
        stack.callback(outlet.close)
        stack.callback(bus.subscribe(outlet))
        yield outlet


def check(settings: MetricsSettings) -> None:
    """Find out what can be found out before anything is fetched or loaded; raises as `opened`."""
    if settings.prometheus:
        address(settings.prometheus)
    if settings.otel:
        _destinations()


def address(text: str) -> tuple[str, int]:
    """Host and port of PORT, HOST:PORT or [HOST]:PORT. Raises ConfigError."""
    found = PLACE.fullmatch(text.strip())
    host, port = (found[1] or found[2] or LOOPBACK, int(found[3])) if found else ("", 0)
    if not host or port > HIGHEST_PORT:
        raise ConfigError(
            f"{text!r} is no place to serve metrics at",
            where="metrics.prometheus",
            remedy="name a port, as --metrics 9464, or an address too, as --metrics 0.0.0.0:9464",
        )
    return host, port


def _serve(outlet: Exporter, text: str, stack: ExitStack) -> str:
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
    outlet.meters.append(exposition.add)
    if _is_loopback(host):
        return endpoint.url
    return f"{endpoint.url}: warning: open to the network, and without a password"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name, which may mean any address


def _destinations() -> dict[Signal, str]:
    try:
        from edgevoice.metrics.otlp import endpoints
    except ModuleNotFoundError as error:
        raise _missing(error, "opentelemetry", "edgevoice[otel]", "metrics.otel") from None
    return endpoints(os.environ)


def _send(outlet: Exporter, urls: dict[Signal, str], now: float, stack: ExitStack) -> str:
    if not urls:
        return "OpenTelemetry sends nothing: the OTEL_* variables switch it off"
    from edgevoice.metrics.otlp import Sender, shown

    try:
        sender = Sender(urls, now, outlet.tell)
    except (ValueError, RuntimeError) as error:
        raise ConfigError(
            f"OpenTelemetry cannot be set up: {error}",
            where="metrics.otel",
            remedy="mend the OTEL_* variables, or unset them",
        ) from None
    stack.callback(sender.close)
    if "metrics" in urls:
        outlet.meters.append(sender.instruments.add)
    if "traces" in urls:
        outlet.tracers.append(sender.instruments.draw)
    places = " and ".join(f"{signal} to {shown(url)}" for signal, url in urls.items())
    return f"OpenTelemetry sends {places}"


def _missing(
    error: ModuleNotFoundError, module: str, package: str, setting: str
) -> EdgevoiceError | ModuleNotFoundError:
    """What to raise where a package cannot be imported: ours only if it is that one."""
    if (error.name or "").split(".")[0] != module:
        return error
    return EdgevoiceError(
        f"{package} is not installed",
        where=setting,
        remedy=f'{sys.executable} -m pip install "{package}"',
    )
