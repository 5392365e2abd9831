"""The metrics as text that Prometheus fetches over HTTP, from an address of this machine."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from typing import Any, Union
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    make_wsgi_app,
)

from edgevoice.errors import EdgevoiceError
from edgevoice.metrics.catalog import CATALOG, READY, Metric, Reading

PATH, LIVE, READY_PATH = "/metrics", "/livez", "/readyz"
MOST_CLIENTS = 8
"""Connections that are served at once; one more closes the one that has been silent longest."""
LONGEST = 10.0
"""Seconds after which a connection is closed, whatever it is doing."""


class Exposition:
    """The metrics as they stand, read by any thread while another one adds to them."""

    def __init__(self) -> None:
        # When a counter was made would be a series more for each.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.ready = False
        """Whether it can answer at once, as far as was told."""
        self._instruments = {metric: _instrument(metric, self.registry) for metric in CATALOG}

    def add(self, reading: Reading) -> None:
        """Take one reading."""
        metric, value = reading.metric, reading.value
        if metric is READY:
            self.ready = value > 0
        instrument = self._instruments[metric]
        if metric.sole:
            instrument.clear()
        one = instrument.labels(*reading.labels) if metric.labels else instrument
        if isinstance(one, Counter):
            one.inc(value)
        elif isinstance(one, Gauge):
            one.set(value)
        else:
            one.observe(value)


def _instrument(metric: Metric, registry: CollectorRegistry) -> Union[Counter, Gauge, Histogram]:
    about = (metric.prometheus, metric.help, metric.labels)
    if metric.kind == "histogram":
        return Histogram(*about, registry=registry, buckets=metric.buckets)
    return (Counter if metric.kind == "counter" else Gauge)(*about, registry=registry)


def _with_probes(exposition: Exposition) -> Callable[..., Any]:
    """The metrics, and for an orchestrator whether it runs and whether it can answer."""
    metrics = make_wsgi_app(exposition.registry)

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        path = environ.get("PATH_INFO", "")
        if path in ("/", PATH):
            return metrics(environ, start)
        if path == LIVE:
            status, text = "200 OK", b"ok\n"
        elif path != READY_PATH:
            status, text = "404 Not Found", f"the metrics are at {PATH}\n".encode()
        elif exposition.ready:
            status, text = "200 OK", b"ok\n"
        else:
            status, text = "503 Service Unavailable", b"not ready\n"
        start(status, [("Content-Type", "text/plain")])
        return [text]

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        if environ["REQUEST_METHOD"] != "HEAD":
            return answer(environ, start)
        # The headers of GET, and no body.
        told: list[Any] = []
        body = answer({**environ, "REQUEST_METHOD": "GET"}, lambda *words: told.extend(words))
        status, headers = told
        start(status, [*headers, ("Content-Length", str(sum(map(len, body))))])
        return []

    return app


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the screen is the conversation's."""

    def parse_request(self) -> bool:
        asked = super().parse_request()
        if asked and isinstance(self.server, _Server):
            self.server.asked(self.connection)
        return asked


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """Serves a few clients at once, each for a limited time."""

    daemon_threads = True
    _ends: dict[Any, float]
    """When each connection is closed at the latest; the oldest comes first."""
    _asking: set[Any]
    """Those of them that have asked for something."""
    # On Windows it would take a port away from whoever has it.
    allow_reuse_address = os.name == "posix"

    def server_bind(self) -> None:
        # Not HTTPServer's, which asks the network for the name of this machine.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def server_activate(self) -> None:
        self._ends, self._asking = {}, set()
        self._lock = threading.Lock()
        super().server_activate()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Make room: a probe must be answered, however many silent clients there are."""
        with self._lock:
            if len(self._ends) >= MOST_CLIENTS:
                silent = (each for each in self._ends if each not in self._asking)
                self._end(next(silent, None) or next(iter(self._ends)))
        return True

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._ends[request] = time.monotonic() + LONGEST
        super().process_request(request, client_address)

    def asked(self, request: Any) -> None:
        """Note that the client of `request` is not silent."""
        with self._lock:
            if request in self._ends:
                self._asking.add(request)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._forget(request)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """End what takes too long; called several times a second."""
        now = time.monotonic()
        with self._lock:
            for request in [each for each, end in self._ends.items() if now > end]:
                self._end(request)

    def _end(self, request: Any) -> None:
        self._forget(request)
        with contextlib.suppress(OSError):
            request.shutdown(socket.SHUT_RDWR)

    def _forget(self, request: Any) -> None:
        self._ends.pop(request, None)
        self._asking.discard(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: who fetches numbers and goes away is no concern of the conversation."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class MetricsServer:
    """Serves an exposition at `host` and `port` (0: any that is free) until it is closed.

    Raises EdgevoiceError where the address cannot be had.
    """

    def __init__(self, exposition: Exposition, host: str, port: int) -> None:
        kind = _Server6 if ":" in host else _Server
        app = _with_probes(exposition)
        try:
            self._server = make_server(host, port, app, kind, handler_class=_Silent)
        except OSError as error:
            raise _refused(error, host, port) from None
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._server.server_port}{PATH}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="metrics", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving, and give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _refused(error: OSError, host: str, port: int) -> EdgevoiceError:
    where = f"metrics.prometheus, {host}:{port}"
    if error.errno in (errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", None)):
        return EdgevoiceError(
            f"the port for the metrics is taken: something listens on {port} already",
            where=where,
            remedy=f"choose another one, as --metrics {port + 1 if port < 65_535 else 9464}",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return EdgevoiceError(
            f"the port for the metrics may not be used: {error.strerror}",
            where=where,
            remedy="choose one from 1024 on, as --metrics 9464",
        )
    return EdgevoiceError(
        f"the metrics cannot be served there: {error.strerror}",
        where=where,
        remedy="name an address of this machine, as --metrics 127.0.0.1:9464",
    )
