"""A server with scripted engines on a real socket, and a client with a simulated speaker."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from edgevoice import events as ev
from edgevoice.agent.language_model_agent import LanguageModelAgent
from edgevoice.assistant import Assistant
from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.context import AudioIO, Engines, Resume, SessionContext
from edgevoice.devices.playout_buffer import PlayoutBuffer
from edgevoice.devices.remote import PlayFrames, ReplaceFrames
from edgevoice.protocols import ChatMessage
from edgevoice.server import protocol
from edgevoice.server.conversation import ClientBuild, Offers, Voice
from edgevoice.server.lobby import Patience
from edgevoice.server.serving import Options, Server
from edgevoice.settings import Config
from edgevoice.testing.scripted import (
    LoudnessDetector,
    Phrasebook,
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)

PATIENCE = 60.0
"""Seconds after which a test that waits has failed."""

PACKET = 512

BLOCK = 0.01
"""Seconds between two callbacks of the simulated speaker."""


def scripted(
    book: Phrasebook, answer: Callable[[Sequence[ChatMessage]], str] | str = "All right."
) -> ClientBuild:
    """Assistants with engines that know `book`."""

    def built(context: SessionContext, audio: AudioIO, resume: Resume) -> Assistant:
        clock = context.clock
        slm = ScriptedLanguageModel(
            clock, answer if callable(answer) else lambda _: answer, token=0.005, prefill=0.0
        )
        config = replace(context.config, slm=replace(context.config.slm, examples=False))
        context.bus.emit(
            ev.SessionStarted(
                version="", schema=ev.SCHEMA, wall="", platform="", models={}, input="", output=""
            )
        )
        context.bus.emit(ev.ActivationMode(mode=config.activation.mode, word=""))
        return Assistant(
            context,
            audio,
            Engines(
                LoudnessDetector,
                lambda: ScriptedRecognizer(clock, book, cost=0.02),
                lambda: LanguageModelAgent(slm, config),
                {"en": lambda: ScriptedSynthesizer(clock, second_per_char=0.02)},
            ),
            resume,
        )

    return built


def offered(config: Config) -> Offers:
    """Two languages and two voices."""
    voices = [Voice("joe", "Joe", "en"), Voice("eva", "Eva", "de")]
    return Offers(("en", "de"), voices, config.models.tts or "joe")


@contextlib.contextmanager
def serving(
    folder: Path,
    build: ClientBuild | None = None,
    lan: bool = False,
    capacity: int = 4,
    patience: Patience | None = None,
) -> Iterator[Server]:
    """A server on free ports of this machine."""
    config = Config()
    config = replace(config, slm=replace(config.slm, system_prompt="Be brief."))
    options = Options(folder, 0, lan, capacity, patience or Patience())
    server = Server(options, config, build or scripted(Phrasebook()), offered)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def asked(
    server: Server,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    method: str | None = None,
) -> tuple[int, dict[str, Any], Any]:
    """Status, headers and JSON of a request; `body` is sent as JSON."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    given = {"content-type": "application/json", **(headers or {})}
    address = server.local_address().rstrip("/") + path
    request = urllib.request.Request(address, data, given, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            status, fields, text = response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        with error:
            status, fields, text = error.code, error.headers, error.read()
    kind = fields.get("content-type", "")
    return status, dict(fields), json.loads(text) if "json" in kind else text


def paired(server: Server, name: str = "phone") -> str:
    """The token of a newly paired device."""
    status, _, answer = asked(
        server, "/pair", {"code": server.code.code, "name": name, "token": True}
    )
    assert status == 200
    return str(answer["token"])


class Client:
    """A client that plays what it is sent, in real time, and keeps every message."""

    def __init__(self, server: Server, token: str, **hello: Any) -> None:
        self._stack = contextlib.ExitStack()
        connecting = connect(
            server.local_address().replace("http", "ws") + "v1/session",
            subprotocols=[protocol.SUBPROTOCOL],  # type: ignore[list-item]
            additional_headers={"authorization": f"Bearer {token}"},
            compression=None,
            open_timeout=PATIENCE,
            ping_interval=None,
        )
        self.socket: ClientConnection = self._stack.enter_context(connecting)
        self.messages: list[dict[str, Any]] = []
        self.closed: int | None = None
        self.played = np.zeros(0, dtype=np.float32)
        """What left the speaker."""
        self.said: queue.SimpleQueue[Samples] = queue.SimpleQueue()
        self._origin = time.monotonic()
        self._changed = threading.Condition()
        self._buffer = PlayoutBuffer(protocol.REPLY_RATE)
        self._lock = threading.Lock()
        self._stream = self._added = 0
        self._stopping = threading.Event()
        self.reports = True
        self.sends_sound = True
        self.send("hello", **hello)
        self._threads = [
            threading.Thread(target=run, daemon=True) for run in (self._receive, self._play)
        ]
        for thread in self._threads:
            thread.start()

    def send(self, kind: str, **fields: Any) -> None:
        """Send a JSON message."""
        self.socket.send(json.dumps({"type": kind, **fields}))

    def wait(self, kind: str, after: int = 0, **fields: Any) -> dict[str, Any]:
        """The first message of this kind with these fields, from message number `after` on."""

        def found() -> dict[str, Any] | None:
            for message in self.messages[after:]:
                if message["type"] == kind and fields.items() <= message.items():
                    return message
            return None

        with self._changed:
            self._changed.wait_for(lambda: found() or self.closed is not None, PATIENCE)
            message = found()
        assert message is not None, (kind, fields, self.closed, self.messages[-8:])
        return message

    def wait_closed(self) -> int:
        """The close code."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.closed is not None, PATIENCE)
        assert self.closed is not None
        return self.closed

    def reply(self, turn: int) -> str:
        """The text of a reply so far."""
        text = ""
        for message in self.messages:
            if message["type"] == "reply" and message["turn"] == turn:
                text = text[: message["from"]] + message["text"]
        return text

    def drop(self) -> None:
        """Lose the connection, without a word."""
        self._stopping.set()
        self.socket.socket.close()

    def close(self) -> None:
        """End the connection."""
        self._stopping.set()
        self._stack.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _now(self) -> float:
        return time.monotonic() - self._origin

    def _receive(self) -> None:
        try:
            while True:
                data = self.socket.recv()
                if isinstance(data, bytes):
                    with self._lock:
                        self._frames(protocol.read_frames(data))
                    continue
                message = json.loads(data)
                if message["type"] == "ping":
                    with contextlib.suppress(ConnectionClosed):  # what came before is still read
                        self.send("pong", at=message["at"])
                    continue
                if message["type"] == "welcome":
                    with self._lock:
                        self._buffer = PlayoutBuffer(message["rate"])
                        self._stream, self._added = message["stream"], 0
                with self._changed:
                    self.messages.append(message)
                    self._changed.notify_all()
        except (ConnectionClosed, OSError) as error:
            code = error.rcvd.code if isinstance(error, ConnectionClosed) and error.rcvd else 1006
            with self._changed:
                self.closed = code
                self._changed.notify_all()

    def _frames(self, message: PlayFrames | ReplaceFrames) -> None:
        if isinstance(message, PlayFrames):
            self._buffer.write(message.samples)
            return
        first, count = message.first + self._added, len(message.instead)
        begun = self._buffer.clear(first, message.instead, message.fade)
        self._added += max(0, begun - first - count)

    def _play(self) -> None:
        blocks = sent = 0
        pending = np.zeros(0, dtype=np.float32)
        out = np.zeros((int(protocol.REPLY_RATE * BLOCK), 1), dtype=np.float32)
        with contextlib.suppress(ConnectionClosed, OSError):
            while not self._stopping.wait(
                max(0.0, self._origin + blocks * BLOCK - time.monotonic())
            ):
                with self._lock:
                    self._buffer.take(out, self._now() + 0.02)
                    if out.any():
                        self.played = np.concatenate([self.played, out[:, 0]])
                    at, added, stream = self._buffer.position(), self._added, self._stream
                if blocks % 5 == 0 and self.reports:
                    self.send(
                        "position",
                        stream=stream,
                        taken=at.taken - added,
                        since=at.since - added,
                        number=at.number - added,
                        time=None if at.time == float("inf") else at.time,
                        starved=max(-1, at.starved - added),
                        sent=self._now(),
                    )
                while sent + PACKET <= self._now() * CAPTURE_RATE:
                    if not len(pending):
                        with contextlib.suppress(queue.Empty):
                            pending = self.said.get_nowait()
                    packet = np.zeros(PACKET, dtype=np.float32)
                    packet[: len(pending[:PACKET])] = pending[:PACKET]
                    pending = pending[PACKET:]
                    if self.sends_sound:
                        self.socket.send(protocol.sound_bytes(sent, packet))
                    sent += PACKET
                blocks += 1
