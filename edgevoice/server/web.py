"""The web side: the page, pairing, and who may connect."""

from __future__ import annotations

import asyncio
import contextlib
import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from edgevoice import __version__
from edgevoice.encoding import json_bytes
from edgevoice.errors import StorageError
from edgevoice.outside import Malformed, from_json
from edgevoice.server import protocol
from edgevoice.server.addresses import is_own
from edgevoice.server.connection import Closing, Connection
from edgevoice.server.devices import PairedDevice, PairedDevices, PairingCode
from edgevoice.server.limits import Buckets
from edgevoice.server.lobby import MAX_CONNECTIONS_PER_DEVICE, Lobby
from edgevoice.server.qr import svg

PAGE = Path(__file__).parent / "page"

SESSION = "/v1/session"

MAX_BODY = 4096
"""Bytes of a request's body."""

BODY_TIMEOUT = 10.0
"""Seconds until all of it must be there."""

COOKIE_SECONDS = 400 * 86_400
"""How long a browser stays paired: as long as browsers allow."""

HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data:; media-src 'self' blob: mediastream:; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}

NOT_PAIRED = "not_paired", "this device is not paired", "open the address with the pairing code"


class Pair(Struct):
    """The body of a pairing."""

    code: str
    name: str = ""
    token: bool = False


def refusal(status: int, code: str, text: str, remedy: str = "", wait: float = 0.0) -> Response:
    """An answer that says what is wrong."""
    headers = {"retry-after": str(max(1, round(wait)))} if wait else {}
    return _json({"code": code, "text": text, "remedy": remedy}, status, headers)


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json_bytes(value), status, headers, "application/json")


class Guard:
    """Refuses requests that a foreign page makes, and adds the headers of every answer.

    A foreign page can reach this server by a name that is rebound to it, which the Host header
    shows, or from its own origin, which the Origin header shows.
    """

    def __init__(self, app: ASGIApp, loopback: bool) -> None:
        self._app, self._loopback = app, loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                given = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.encode(), value.encode())
                        for name, value in HEADERS.items()
                        if name.encode() not in given
                    ),
                ]
            await send(message)

        refused = self._refused(HTTPConnection(scope), scope)
        if refused is not None:
            await _refuse(refused, scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    def _refused(self, request: HTTPConnection, scope: Scope) -> Response | None:
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or not is_own(hosts[0], self._loopback):
            return refusal(421, "wrong_host", "this is another machine", "use its address")
        origins = request.headers.getlist("origin")
        secure = scope["scheme"] in ("https", "wss")
        own = f"http{'s' * secure}://{hosts[0]}".lower()
        if any(origin.lower() != own for origin in origins):
            return refusal(403, "wrong_origin", "another page asks", "open the page itself")
        if scope["type"] == "websocket" and scope["path"] != SESSION:
            return refusal(404, "not_found", f"the WebSocket is at {SESSION}")
        return None


async def _refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(response)
    else:
        await response(scope, receive, send)


class Site:
    """The pages and the WebSocket of one port. `loopback`: only this machine reaches it.

    `address` makes the address for a pairing code, `paired` is told a newly paired device,
    `certificate` is the address of the certificate's page.
    """

    def __init__(
        self,
        lobby: Lobby,
        devices: PairedDevices,
        code: PairingCode,
        address: Callable[[str], str],
        paired: Callable[[PairedDevice], None],
        loopback: bool,
        port: int,
        certificate: Callable[[], str],
    ) -> None:
        self._certificate = certificate
        self._lobby, self._devices, self._code = lobby, devices, code
        self._address, self._paired = address, paired
        self._cookie = f"{'' if loopback else '__Host-'}edgevoice-{port}"
        self._secure = not loopback
        self._tries = Buckets(1 / 12, 5)
        self._all_tries = Buckets(1 / 2, 30)
        self._upgrades = Buckets(1.0, 20)
        for suffix, kind in (
            (".js", "text/javascript"),
            (".webmanifest", "application/manifest+json"),
        ):
            mimetypes.add_type(kind, suffix)
        routes = [
            Route("/me", self._me),
            Route("/pair", self._pair, methods=["POST"]),
            Route("/leave", self._leave, methods=["POST"]),
            Route("/invite", self._invite),
            WebSocketRoute(SESSION, self._session),
            Mount("/", StaticFiles(directory=PAGE, html=True, check_dir=False)),
        ]
        self.app: ASGIApp = Guard(Starlette(routes=routes), loopback)

    async def _me(self, request: Request) -> Response:
        device = self._device(request)
        return _json(
            {
                "paired": device is not None,
                "name": device.name if device else None,
                "version": __version__,
                "busy": self._lobby.full,
                "sessions": self._lobby.sessions,
                "capacity": self._lobby.capacity,
                "certificate": self._certificate() or None,
            }
        )

    async def _pair(self, request: Request) -> Response:
        # A form of another page cannot send this type without being asked for.
        if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
            return refusal(415, "bad_request", "the body must be application/json")
        address = _address_of(request)
        for bucket in (self._tries.of(address), self._all_tries.of("")):
            if not bucket.take():
                return refusal(
                    429, "too_many", "too many tries", "wait a moment", wait=bucket.wait()
                )
        body = await _body(request)
        if isinstance(body, Response):
            return body
        try:
            wanted = from_json(body, Pair)
        except Malformed as error:
            return refusal(400, "bad_request", f"not a pairing: {error}")
        if not self._code.use(wanted.code):
            return refusal(
                403,
                "wrong_code",
                "the pairing code is wrong or was used already",
                "use the code that `edgevoice serve` shows now",
            )
        try:
            device, token = await asyncio.to_thread(self._devices.pair, wanted.name)
        except StorageError as error:
            return refusal(507, "storage", error.what, error.remedy)
        self._paired(device)
        response = _json(
            {"id": device.id, "name": device.name} | ({"token": token} if wanted.token else {})
        )
        response.set_cookie(
            self._cookie,
            token,
            max_age=COOKIE_SECONDS,
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )
        return response

    async def _leave(self, request: Request) -> Response:
        device = self._device(request)
        if device is None:
            return refusal(401, *NOT_PAIRED)
        await asyncio.to_thread(self._devices.revoke, device.id)
        self._lobby.check_revoked()
        response = _json({})
        response.delete_cookie(self._cookie, secure=self._secure, httponly=True, samesite="strict")
        return response

    async def _invite(self, request: Request) -> Response:
        if self._device(request) is None:
            return refusal(401, *NOT_PAIRED)
        code = self._code.code
        address = self._address(code)
        return _json({"code": code, "url": address, "svg": svg(address)})

    async def _session(self, socket: WebSocket) -> None:
        device = self._device(socket)
        if device is None:
            bucket = self._upgrades.of(_address_of(socket))
            refused = (
                refusal(401, *NOT_PAIRED)
                if bucket.take()
                else refusal(429, "too_many", "too many tries", wait=bucket.wait())
            )
        elif protocol.SUBPROTOCOL not in socket.scope.get("subprotocols", []):
            refused = refusal(400, "bad_request", f"the subprotocol must be {protocol.SUBPROTOCOL}")
        elif self._lobby.connections(device.id) >= MAX_CONNECTIONS_PER_DEVICE:
            refused = refusal(
                429, "too_many", "this device is connected too often", "close other pages", wait=10
            )
        else:
            await self._serve(socket, device)
            return
        await socket.send_denial_response(refused)

    async def _serve(self, socket: WebSocket, device: PairedDevice) -> None:
        await socket.accept(subprotocol=protocol.SUBPROTOCOL)
        abort = socket.scope.get("extensions", {}).get("edgevoice.abort", lambda: None)
        connection = Connection(socket, device, abort)
        try:
            await connection.hello_received()
            with contextlib.suppress(StorageError):
                await asyncio.to_thread(self._devices.note_seen, device)
            self._lobby.enter(connection)
            await connection.run()
        except Closing as why:
            await connection.goodbye(why)
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            self._lobby.leave(connection)

    def _device(self, request: HTTPConnection) -> PairedDevice | None:
        """The paired device that asks."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            token = request.cookies.get(self._cookie, "")
        with contextlib.suppress(StorageError):
            return self._devices.of_token(token.strip()) if token else None
        return None


async def _body(request: Request) -> bytes | Response:
    """The body, or what is wrong with it."""

    async def read() -> bytes | Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY:
                return refusal(413, "too_large", f"a request has at most {MAX_BODY} bytes")
        return body

    length = request.headers.get("content-length", "0")
    if not length.isdigit() or len(length) > 9 or int(length) > MAX_BODY:
        return refusal(413, "too_large", f"a request has at most {MAX_BODY} bytes")
    try:
        return await asyncio.wait_for(read(), BODY_TIMEOUT)
    except asyncio.TimeoutError:
        return refusal(408, "too_slow", "the request did not come in time")


def _address_of(request: HTTPConnection) -> str:
    return request.client.host if request.client else ""
