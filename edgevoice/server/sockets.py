"""Connections that are refused before they cost anything: too many, or silent."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

MAX_OPEN = 128
"""Open connections of all clients together."""

MAX_PER_ADDRESS = 24

REQUEST_TIMEOUT = 10.0
"""Seconds until a request is complete."""

_BUSY_BODY = b'{"code":"too_many","text":"too many connections","remedy":"close other pages"}'
BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 10\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%s" % (len(_BUSY_BODY), _BUSY_BODY)
)
RETRY = 0.5
"""Seconds after which a slow request is looked at again."""

SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Gate:
    """Counts the open connections of all ports."""

    def __init__(self, total: int = MAX_OPEN, per_address: int = MAX_PER_ADDRESS) -> None:
        self._total, self._per_address = total, per_address
        self._open: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Count a connection; false if there are too many."""
        if self._open.total() >= self._total or self._open[address] >= self._per_address:
            return False
        self._open[address] += 1
        return True

    def leave(self, address: str) -> None:
        """A counted connection has ended."""
        self._open[address] -= 1
        if self._open[address] <= 0:
            del self._open[address]


def protocols(gate: Gate) -> tuple[type[asyncio.Protocol], type[asyncio.Protocol]]:
    """The classes for HTTP and WebSocket connections that `gate` counts."""

    class Http(H11Protocol):
        """HTTP that is refused if there are too many connections, and ended if it is slow."""

        _address: str | None = None
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            address = self.client[0] if self.client else ""
            if not gate.enter(address):
                transport.write(BUSY)
                transport.close()
                return
            self._address = address
            self._timer = self.loop.call_later(REQUEST_TIMEOUT, self._too_slow)

        def _too_slow(self, last: bool = False) -> None:
            if not last:
                # Once more: a model that is loading may have held up this process.
                self._timer = self.loop.call_later(RETRY, self._too_slow, True)
            elif self.transport.get_protocol() is self and self.cycle is None:
                self.transport.write(SLOW)
                self.transport.abort()

        def data_received(self, data: bytes) -> None:
            if self._address is not None:
                super().data_received(data)

        def handle_websocket_upgrade(self, event: Any) -> None:
            super().handle_websocket_upgrade(event)
            if self._timer is not None:
                self._timer.cancel()
            protocol = self.transport.get_protocol()
            assert isinstance(protocol, WebSocket)
            protocol.address, self._address = self._address, None

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self._timer is not None:
                self._timer.cancel()
            if self._address is not None:
                gate.leave(self._address)
                self._address = None

    class WebSocket(WebSocketsSansIOProtocol):
        """A WebSocket whose application can end it at once, whatever is still to be sent."""

        address: str | None = None

        def handle_connect(self, event: Any) -> None:
            super().handle_connect(event)
            if not self.close_sent:
                self.scope["extensions"]["edgevoice.abort"] = self.transport.abort  # type: ignore[assignment]

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self.address is not None:
                gate.leave(self.address)
                self.address = None

    return Http, WebSocket
