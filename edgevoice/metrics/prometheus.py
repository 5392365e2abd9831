"""Serve the metrics to Prometheus over HTTP."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from typing import Any, TextIO, Union
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

_log = logging.getLogger(__name__)

PATH, LIVE, READY_PATH = "/metrics", "/livez", "/readyz"
MAX_CLIENTS = 8
"""Maximum simultaneous connections; a further one closes the oldest without a request."""
CONNECTION_TIMEOUT = 10.0
"""Seconds after which any connection is closed."""


class Exposition:
    """The current values of the metrics; any thread may read while one adds."""

    def __init__(self) -> None:
        # Otherwise each counter has another series with its creation time.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.ready = False
        """Whether it can answer at once, by the last reading."""
        self._instruments = {metric: _instrument(metric, self.registry) for metric in CATALOG}

    def add(self, reading: Reading) -> None:
        """Record one reading."""
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
    """A WSGI app with the metrics and the probes /livez and /readyz."""
    metrics = make_wsgi_app(exposition.registry)

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        path = environ.get("PATH_INFO", "")
        if path in ("/", PATH):
            try:
                return metrics(environ, start)
            except Exception as error:  # the library fails on an Accept header without sense
                _log.debug("a request for the metrics failed", exc_info=error)
                status, text = "400 Bad Request", b"a header or a parameter is invalid\n"
        elif path == LIVE:
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
        response: list[Any] = []
        body = answer({**environ, "REQUEST_METHOD": "GET"}, lambda *words: response.extend(words))
        status, headers = response
        start(status, [*headers, ("Content-Length", str(sum(map(len, body))))])
        return []

    return app


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Do nothing: the screen shows the conversation."""

    def get_stderr(self) -> TextIO:
        """Nowhere, because a traceback would go over the screen."""
        return io.StringIO()

    def parse_request(self) -> bool:
        parsed = super().parse_request()
        if parsed and isinstance(self.server, _Server):
            self.server.note_request(self.connection)
        return parsed


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """Serves a few clients at once, each for a limited time."""

    daemon_threads = True
    _deadlines: dict[Any, float]
    """The time at which each connection is closed at the latest, oldest first."""
    _with_request: set[Any]
    """The connections that have sent a request."""
    # On Windows it would take over a port that is in use.
    allow_reuse_address = os.name == "posix"

    def server_bind(self) -> None:
        # Not HTTPServer's, which looks up this machine's name in the network.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def server_activate(self) -> None:
        self._deadlines, self._with_request = {}, set()
        self._lock = threading.Lock()
        super().server_activate()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Make room, so that a probe is answered despite many idle clients."""
        with self._lock:
            if len(self._deadlines) >= MAX_CLIENTS:
                silent = (each for each in self._deadlines if each not in self._with_request)
                self._close_connection(next(silent, None) or next(iter(self._deadlines)))
        return True

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._deadlines[request] = time.monotonic() + CONNECTION_TIMEOUT
        super().process_request(request, client_address)

    def note_request(self, request: Any) -> None:
        """Note that the client of `request` has sent a request."""
        with self._lock:
            if request in self._deadlines:
                self._with_request.add(request)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._forget(request)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Close connections past their deadline; called several times a second."""
        now = time.monotonic()
        with self._lock:
            for request in [each for each, end in self._deadlines.items() if now > end]:
                self._close_connection(request)

    def _close_connection(self, request: Any) -> None:
        self._forget(request)
        with contextlib.suppress(OSError):
            request.shutdown(socket.SHUT_RDWR)

    def _forget(self, request: Any) -> None:
        self._deadlines.pop(request, None)
        self._with_request.discard(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Do nothing: a client that disconnects needs no message."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class MetricsServer:
    """Serves an exposition at `host` and `port` (0: any free one) until it is closed.

    Raises EdgevoiceError if the address cannot be used.
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
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _refused(error: OSError, host: str, port: int) -> EdgevoiceError:
    where = f"metrics.prometheus, {host}:{port}"
    if error.errno in (errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", None)):
        return EdgevoiceError(
            f"the port for the metrics is in use: {port}",
            where=where,
            remedy=f"choose another port: --metrics {port + 1 if port < 65_535 else 9464}",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return EdgevoiceError(
            f"the port for the metrics may not be used: {error.strerror}",
            where=where,
            remedy="choose a port from 1024 on: --metrics 9464",
        )
    return EdgevoiceError(
        f"the metrics cannot be served there: {error.strerror}",
        where=where,
        remedy="use an address of this machine: --metrics 127.0.0.1:9464",
    )
