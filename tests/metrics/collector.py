"""A collector on loopback that speaks OTLP over HTTP and keeps what it is sent."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PATIENCE = 60.0
"""Seconds after which something that does not arrive is a failure; nothing is timed."""


class Collector(ThreadingHTTPServer):
    """Answers every request with `status`, or, while it is `stuck`, not at all."""

    daemon_threads = True

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.requests: list[tuple[str, bytes]] = []
        self.arrived = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def spans(self) -> list[str]:
        """The names of all spans that were sent."""
        found = []
        for path, body in self.requests:
            if path == "/v1/traces":
                sent = ExportTraceServiceRequest.FromString(body)
                scopes = [scope for each in sent.resource_spans for scope in each.scope_spans]
                found += [span.name for scope in scopes for span in scope.spans]
        return found

    def metrics(self) -> set[str]:
        """The names of all metrics that were sent."""
        found = set()
        for path, body in self.requests:
            if path == "/v1/metrics":
                sent = ExportMetricsServiceRequest.FromString(body)
                scopes = [scope for each in sent.resource_metrics for scope in each.scope_metrics]
                found |= {metric.name for scope in scopes for metric in scope.metrics}
        return found

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: who asked may have gone, which is what some of the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.requests.append((self.path, body))
        self.server.arrived.set()
        self.server.go_on.wait(PATIENCE)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def collecting(status: int = 200, stuck: bool = False) -> Iterator[Collector]:
    """A collector that listens while the block lasts."""
    with Collector(status) as collector:
        if stuck:
            collector.go_on.clear()
        thread = threading.Thread(target=collector.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield collector
        finally:
            collector.go_on.set()
            collector.shutdown()
            thread.join()
