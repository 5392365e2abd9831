"""Runs the server: its ports, and its event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from edgevoice.errors import EdgevoiceError
from edgevoice.server.addresses import host_name, lan_addresses
from edgevoice.server.certificate_page import certificate_site
from edgevoice.server.certificates import Authority, authority, leaf_context
from edgevoice.server.conversation import ClientBuild, Offers
from edgevoice.server.devices import PairedDevice, PairedDevices, PairingCode
from edgevoice.server.lobby import Lobby, Patience
from edgevoice.server.protocol import MAX_MESSAGE_BYTES
from edgevoice.server.sockets import Gate, protocols
from edgevoice.server.web import Site
from edgevoice.settings import Config

DEFAULT_PORT = 8440
"""For this machine; the next port is for the network, and the one after that for the
certificate."""

LOOK_INTERVAL = 1.0
"""Seconds between two looks at who waits, and whose device was revoked."""

STOP_TIMEOUT = 10.0

logger = logging.getLogger("edgevoice.server")


@dataclass(frozen=True, slots=True)
class Options:
    """Where to serve, and how many at a time. `port` 0: any free ports."""

    folder: Path
    port: int = DEFAULT_PORT
    lan: bool = False
    capacity: int = 4
    patience: Patience = field(default_factory=Patience)


@dataclass(slots=True)
class _Port:
    socket: socket.socket
    app: ASGIApp
    tls: ssl.SSLContext | None = None

    @property
    def number(self) -> int:
        return int(self.socket.getsockname()[1])


class Server:
    """Serves until `stop`. `paired` is called with each newly paired device, from its thread."""

    def __init__(
        self,
        options: Options,
        config: Config,
        build: ClientBuild,
        offers: Callable[[Config], Offers],
        paired: Callable[[PairedDevice], None] = lambda device: None,
    ) -> None:
        """Raises EdgevoiceError if a port is taken, and StorageError."""
        self.options = options
        self.devices = PairedDevices(options.folder / "devices.json")
        self.code = PairingCode()
        self.authority: Authority | None = None
        self.lobby = Lobby(config, build, offers, self.devices, options.capacity, options.patience)
        self._paired = paired
        self._loop: asyncio.AbstractEventLoop | None = None
        self._servers: list[uvicorn.Server] = []
        self._ports = self._open_ports()
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)
        self._started = threading.Event()
        self._failure: BaseException | None = None

    def _open_ports(self) -> list[_Port]:
        options = self.options
        with contextlib.ExitStack() as opened:
            sockets = _listening_all(options.port, options.lan)
            for each in sockets:
                opened.enter_context(each)
            own = sockets[0].getsockname()[1]
            ports = [_Port(sockets[0], self._site(own, loopback=True))]
            if options.lan:
                self.authority = authority(options.folder, host_name())
                tls = leaf_context(options.folder, self.authority, lan_addresses(), host_name())
                secure = sockets[1].getsockname()[1]
                ports.append(_Port(sockets[1], self._site(secure, loopback=False), tls))
                ports.append(_Port(sockets[2], certificate_site(self.authority, secure)))
            opened.pop_all()
            return ports

    def _site(self, port: int, loopback: bool) -> ASGIApp:
        return Site(
            self.lobby,
            self.devices,
            self.code,
            self.address,
            self._paired,
            loopback,
            port,
            self.certificate_address,
        ).app

    @property
    def ports(self) -> list[int]:
        """The ports: this machine, and with `lan` the network and the certificate."""
        return [port.number for port in self._ports]

    def address(self, code: str = "") -> str:
        """The address for other devices, or without `lan` for this machine; with a pairing code."""
        if self.options.lan and (host := _lan_host()):
            base = f"https://{host}:{self.ports[1]}/"
        else:
            base = self.local_address()
        return f"{base}#code={code}" if code else base

    def local_address(self) -> str:
        """The address for this machine's own browser."""
        return f"http://127.0.0.1:{self.ports[0]}/"

    def certificate_address(self) -> str:
        """The address of the certificate; empty without `lan`."""
        if not self.options.lan:
            return ""
        return f"http://{_lan_host() or '127.0.0.1'}:{self.ports[2]}/"

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End all sessions and connections."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._end)
            self._thread.join(STOP_TIMEOUT)
            # Whoever frees the engines next must not take them from a session.
            self.lobby.wait_for_end(STOP_TIMEOUT)

    @property
    def failure(self) -> BaseException | None:
        """Why it ended by itself; None while it serves."""
        return self._failure

    def _end(self) -> None:
        self.lobby.close()
        for server in self._servers:
            server.should_exit = True

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        _quiet_logs()
        gate = Gate()
        self._servers = [uvicorn.Server(_config(port, gate)) for port in self._ports]
        stepping = asyncio.create_task(self._step())
        try:
            self._loop.call_soon(self._started.set)
            await asyncio.gather(
                *(
                    server.serve(sockets=[port.socket])
                    for server, port in zip(self._servers, self._ports, strict=True)
                )
            )
        finally:
            stepping.cancel()

    async def _step(self) -> None:
        while True:
            await asyncio.sleep(LOOK_INTERVAL)
            try:
                self.lobby.step()
                self.lobby.check_revoked()
            except EdgevoiceError as error:
                logger.warning("%s", error)


def _config(port: _Port, gate: Gate) -> uvicorn.Config:
    http, websocket = protocols(gate)
    tls = port.tls
    return uvicorn.Config(
        port.app,
        http=http,
        ws=websocket,
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        h11_max_incomplete_event_size=16_384,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=2,
        # uvicorn makes a context only if there is a file or a factory.
        ssl_context_factory=None if tls is None else lambda config, default: tls,
    )


def _listening_all(port: int, lan: bool) -> list[socket.socket]:
    """The sockets of all ports, one after the other; `port` 0: wherever there is room."""
    for left in range(20 if port == 0 else 0, -1, -1):
        with contextlib.ExitStack() as opened:
            sockets = [opened.enter_context(_listening("127.0.0.1", port))]
            first = sockets[0].getsockname()[1]
            try:
                numbers = (first + 1, first + 2) if lan else ()
                sockets += [opened.enter_context(_listening("", n)) for n in numbers]
            except EdgevoiceError:
                if not left:
                    raise
                continue
            opened.pop_all()
            return sockets
    raise AssertionError


def _listening(host: str, port: int) -> socket.socket:
    """A socket for connections; `host` empty: from everywhere, by IPv4 and IPv6."""
    both = not host and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256, dualstack_ipv6=both)
    except OSError as error:
        raise EdgevoiceError(
            f"cannot listen on port {port}: {error.strerror or error}",
            remedy="end the other program, or choose another port, for example --port 9440",
        ) from None


def _quiet_logs() -> None:
    """Keep what was said, and every address, out of the logs of the libraries."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "websockets"):
        library = logging.getLogger(name)
        library.setLevel(logging.CRITICAL)
        library.propagate = False
        if not library.handlers:
            library.addHandler(logging.NullHandler())


def _lan_host() -> str:
    """This machine's most usual address in the local network, for a URL; empty if it has none."""
    return next((str(a) if a.version == 4 else f"[{a}]" for a in lan_addresses()), "")
