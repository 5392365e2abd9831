"""A client's WebSocket: messages in, messages and sound out, in the server's event loop."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from edgevoice import events as ev
from edgevoice.audio import Samples
from edgevoice.devices.remote import ToClient
from edgevoice.encoding import json_bytes
from edgevoice.errors import EdgevoiceError
from edgevoice.server import protocol
from edgevoice.server.conversation import ClientConversation
from edgevoice.server.devices import PairedDevice
from edgevoice.server.feed import Outgoing
from edgevoice.server.limits import Bucket

HELLO_TIMEOUT = 10.0
"""Seconds until the first message."""

PING_INTERVAL = 2.0
"""Seconds between two pings."""

SILENT_TIMEOUT = 10.0
"""Seconds without any message after which a client is gone; it answers pings."""

SEND_TIMEOUT = 10.0
"""Seconds that a client may take to read what is sent."""

MAX_QUEUED = 4 << 20
"""Bytes that may wait to be sent."""

WATCH_INTERVAL = 0.25

SOUND_PAUSE = 3.0
"""Seconds without sound of the microphone after which the client is silent."""

PINGS = 10
"""Newest pings, of which the fastest counts."""

CLOSE_CODES = {"shutdown": 1001, "slow": 4008}
OTHER_CLOSE_CODE = 4000


class Closing(Exception):
    """The connection is to be closed, and why."""

    def __init__(self, code: str, text: str, remedy: str = "") -> None:
        super().__init__(text)
        self.code, self.text, self.remedy = code, text, remedy


class Connection:
    """One client. Methods of Listener may be called from any thread, others in the loop only."""

    def __init__(self, socket: WebSocket, device: PairedDevice, abort: Callable[[], None]) -> None:
        self.device = device
        self.hello = protocol.Hello()
        self.conversation: ClientConversation | None = None
        self.rtt = 0.0
        self.place = 0
        """Place in the queue, from 1; 0: it does not wait."""
        self._socket = socket
        self._abort = abort
        self._loop = asyncio.get_running_loop()
        self._outgoing: deque[str | bytes] = deque()
        self._queued = 0
        self._wake = asyncio.Event()
        self._closing: Closing | None = None
        self._messages = Bucket(200, 400)
        self._bytes = Bucket(1 << 20, 4 << 20)
        self._samples = Bucket(1.5 * 16_000, 60 * 16_000)
        self._pings: deque[float] = deque(maxlen=PINGS)
        self._sounded = 0.0
        self._heard = time.monotonic()
        self._sending = math.inf
        """When the message that is being sent was begun."""
        self.welcome: Callable[[Connection, int], Outgoing] = lambda connection, stream: {}
        """Makes the welcome of a stream."""

    # What a conversation tells.

    def play(self, message: ToClient) -> None:
        self._soon(self.put, protocol.frames_bytes(message))

    def tell(self, message: Outgoing) -> None:
        self._soon(self.send, message)

    def event(self, event: ev.Event) -> None:
        if self.hello.events:
            self._soon(self.send, {"type": "event", "event": event})

    def begin(self, stream: int) -> None:
        self._soon(self._welcome, stream)

    def failed(self, error: EdgevoiceError) -> None:
        self._soon(self.close, Closing("failed", error.what, error.remedy))

    def ended(self) -> None:
        self._soon(self.close, Closing("shutdown", "the session has ended"))

    def _soon(self, call: Callable[..., None], *given: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(call, *given)

    def _welcome(self, stream: int) -> None:
        self.send(self.welcome(self, stream))
        if self.conversation is not None:
            for message in self.conversation.feed.again():
                self.send(message)

    # In the loop.

    def send(self, message: Outgoing) -> None:
        """Queue a JSON message."""
        self.put(json_bytes(message).decode())

    def put(self, data: str | bytes) -> None:
        """Queue a message."""
        if self._closing is not None:
            return
        self._queued += len(data)
        if self._queued > MAX_QUEUED:
            self.close(Closing("slow", "the client does not read what is sent", "reload the page"))
            return
        self._outgoing.append(data)
        self._wake.set()

    def close(self, why: Closing) -> None:
        """Close the connection soon."""
        if self._closing is None:
            self._closing = why
            self._wake.set()

    async def hello_received(self) -> protocol.Hello:
        """The client's first message. Raises Closing, WebSocketDisconnect."""
        receiving = asyncio.create_task(self._receive())
        # In steps: a model that is loading may hold up this process for longer than the timeout.
        for _ in range(max(1, round(HELLO_TIMEOUT / WATCH_INTERVAL))):
            if (await asyncio.wait({receiving}, timeout=WATCH_INTERVAL))[0]:
                break
        else:
            receiving.cancel()
            raise Closing("bad_hello", "there was no hello in time")
        message = receiving.result()
        if not isinstance(message, protocol.Hello):
            raise Closing("bad_hello", "the first message must be hello", "reload the page")
        if message.version != protocol.VERSION:
            raise Closing(
                "bad_hello",
                f"this server speaks version {protocol.VERSION} of the protocol",
                "reload the page, or use one version of edgevoice on both machines",
            )
        self.hello = message
        return message

    async def run(self) -> None:
        """Serve the client until it is gone, or the connection is to be closed."""
        reading = asyncio.create_task(self._read())
        writing = asyncio.create_task(self._write())
        watching = asyncio.create_task(self._watch())
        tasks = (reading, writing, watching)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Closing):
                await self.goodbye(error)
            elif isinstance(error, Exception) and not isinstance(error, WebSocketDisconnect):
                raise error

    async def goodbye(self, why: Closing) -> None:
        """Say why the connection is closed, and close it."""
        self._closing = why
        message = {"type": "error", "code": why.code, "text": why.text, "remedy": why.remedy}

        async def say() -> None:
            await self._socket.send_text(json_bytes(message).decode())
            await self._socket.close(CLOSE_CODES.get(why.code, OTHER_CLOSE_CODE), why.code)

        try:
            await asyncio.wait_for(say(), 0.1 if why.code == "slow" else 1.0)
        except (asyncio.TimeoutError, RuntimeError, WebSocketDisconnect):
            self._abort()

    async def _write(self) -> None:
        while True:
            while not self._outgoing and self._closing is None:
                self._wake.clear()
                await self._wake.wait()
            if self._outgoing and (self._closing is None or self._closing.code != "slow"):
                data = self._outgoing.popleft()
                self._sending = time.monotonic()
                await self._send(data)
                self._sending = math.inf
                self._queued -= len(data)
            elif self._closing is not None:
                raise self._closing

    async def _send(self, data: str | bytes) -> None:
        if isinstance(data, str):
            await self._socket.send_text(data)
        else:
            await self._socket.send_bytes(data)

    async def _watch(self) -> None:
        """Ping the client, and notice when it is gone. No task has a timeout of its own: before
        Python 3.12, `wait_for` may lose a cancellation."""
        pinged = -math.inf
        last = time.monotonic()
        while True:
            now = time.monotonic()
            # A model that is loading may hold up this process: that time is not the client's.
            stalled = max(0.0, now - last - 2 * WATCH_INTERVAL)
            self._heard, self._sending = self._heard + stalled, self._sending + stalled
            last = now
            if now - pinged >= PING_INTERVAL:
                pinged = now
                self.send({"type": "ping", "at": now})
            if now - self._sending > SEND_TIMEOUT:
                raise Closing("slow", "the client does not read what is sent", "reload the page")
            if now - self._heard > SILENT_TIMEOUT:
                self._abort()
                return
            if self.conversation is not None and now - self._sounded > SOUND_PAUSE:
                self.conversation.no_sound()
            await asyncio.sleep(WATCH_INTERVAL)

    async def _read(self) -> None:
        while True:
            message = await self._receive()
            self._heard = time.monotonic()
            if isinstance(message, tuple):
                first, samples = message
                self._sounded = time.monotonic()
                if self.conversation is not None and self._samples.take(len(samples)):
                    self.conversation.sound(first, samples)
            else:
                self._handle(message)

    def _handle(self, message: protocol.FromClient) -> None:
        conversation = self.conversation
        match message:
            case protocol.Hello():
                raise Closing("bad_message", "hello was already said")
            case protocol.Ping():
                self.send({"type": "pong", "at": message.at})
            case protocol.Pong():
                self._note_pong(message.at)
            case protocol.PlayedReport() if conversation is not None:
                conversation.played(message)
            case protocol.Capturing() if conversation is not None:
                if not message.on:
                    conversation.no_sound()
            case _ if conversation is not None:
                conversation.command(message)
            case _:
                pass

    def _note_pong(self, at: float) -> None:
        seconds = time.monotonic() - at
        if 0 <= seconds < SILENT_TIMEOUT:
            self._pings.append(seconds)
            self.rtt = min(self._pings)
            if self.conversation is not None:
                self.conversation.feed.rtt = self.rtt

    async def _receive(self) -> protocol.FromClient | tuple[int, Samples]:
        """The next message. Raises Closing, WebSocketDisconnect."""
        data = await self._socket.receive()
        if data["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(data.get("code", 1005))
        text, binary = data.get("text"), data.get("bytes")
        size = len(text or binary or b"")
        if not self._messages.take() or not self._bytes.take(size):
            raise Closing("too_many", "too many messages", "reload the page")
        try:
            if text is not None:
                return protocol.read_text(text)
            return protocol.read_sound(binary or b"")
        except protocol.BadMessage as error:
            raise Closing("bad_message", str(error), "reload the page") from None
