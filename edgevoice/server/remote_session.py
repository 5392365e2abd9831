"""A session whose models are on another machine, with the microphone and speaker of this one."""

from __future__ import annotations

import contextlib
import json
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    WebSocketException,
)
from websockets.sync.client import ClientConnection, connect

from edgevoice import compatibility
from edgevoice import events as ev
from edgevoice.audio import CAPTURE_RATE
from edgevoice.bus import Bus
from edgevoice.clock import Clock
from edgevoice.devices.remote import PlayFrames, ToClient
from edgevoice.encoding import json_bytes
from edgevoice.errors import DeviceError, SessionError, UsageError
from edgevoice.outside import Malformed, from_json
from edgevoice.player import Player
from edgevoice.protocols import AudioSink, AudioSource
from edgevoice.scene import Scene
from edgevoice.server import protocol
from edgevoice.server.known_servers import Known, ServerAddress, context, refused, unreachable
from edgevoice.trace import Recorder
from edgevoice.transcript import markdown

SENT_AHEAD = 0.6
"""Seconds of sound that the server sends ahead: a speaker's queue takes it, and a replay."""

NEVER_WAIT = 60.0
"""Seconds of room that the player is told: the server never sends as much."""

REPORT_INTERVAL = 0.05
IDLE_INTERVAL = 1.0
"""Seconds between two reports of the position, while it changes and while it does not."""

SERVER_TIMEOUT = 6.0
"""Seconds without any message after which the connection is lost; the server pings."""

RECONNECT_FOR = 60.0
"""Seconds for which a lost connection is tried again, with pauses up to RETRY_PAUSE."""

RETRY_PAUSE = 2.0

MAX_MESSAGE = 8 << 20

FINAL = frozenset({"revoked", "full", "taken_over", "failed", "bad_hello", "bad_message", "idle"})
"""Codes after which it is not tried again."""


@dataclass(frozen=True, slots=True)
class Here:
    """What this machine brings: a microphone without echo, and its speaker."""

    source: AudioSource | Callable[[Callable[[], bool]], AudioSource]
    sink: AudioSink
    player: Player


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user wants of the server; empty: its settings."""

    language: str = ""
    voice: str = ""
    mode: protocol.Mode | None = None
    fields: dict[str, Any] = field(default_factory=dict)


class RemoteSession:
    """Holds a conversation with a server. It has the commands of a Session.

    Its bus passes on the server's events, with the server's times.
    """

    def __init__(
        self, clock: Clock, bus: Bus, where: ServerAddress, known: Known, here: Here, wishes: Wishes
    ) -> None:
        self.clock, self.bus = clock, bus
        self.recorder = Recorder()
        self.saved: list[Path] = []
        """The files that were saved on request, oldest first."""
        self._where, self._known, self._wishes = where, known, wishes
        self._scene = Scene()
        bus.subscribe(self.recorder)
        bus.subscribe(self._scene.apply)
        self._sink, self._player = here.sink, here.player
        self._player.ahead = NEVER_WAIT
        self._source = here.source(self.is_idle) if callable(here.source) else here.source
        self._socket: ClientConnection | None = None
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._welcome: dict[str, Any] = {}
        self._stream = -1
        self._base = self._added = 0
        """What to add to the server's frame numbers; `_added` are frames that were played before
        they could be replaced."""
        self._anchor: tuple[int, float] | None = None
        """A sample of the microphone, by the client's count, and its session time."""
        self._origin = clock.now()
        self._ended_there = False
        self._talking = False
        self._last = 0.0
        self._socket_was_open = False

    def run(self) -> None:
        """Run until `close` is called, or the server ends it. Raises EdgevoiceError."""
        self.clock.spawn(self._capture, "capture")
        self.clock.spawn(self._report, "report")
        lost: float | None = None
        pause = 0.1
        try:
            while not self._closed.is_set():
                try:
                    self._converse()
                    return
                except SessionError:
                    raise
                except (OSError, WebSocketException, TimeoutError) as error:
                    now = self.clock.now()
                    if self._socket_was_open:
                        lost = None
                    if not self._welcome or (lost is not None and now - lost > RECONNECT_FOR):
                        raise unreachable(self._where.base, error) from None
                    if lost is None:
                        lost, pause = now, 0.1
                        self._notice("the connection is lost; trying again")
                    self._closed.wait(pause)
                    pause = min(RETRY_PAUSE, 2 * pause)
        finally:
            self.close()
            self._source.close()
            self._player.close()
            if not self._ended_there:
                self.bus.pass_on(ev.SessionEnded(t=self._last, reason="closed"))

    def _converse(self) -> None:
        """One connection. Returns once the session is over."""
        self._socket_was_open = False
        try:
            connecting = connect(
                self._where.base.replace("http", "ws", 1) + "/v1/session",
                ssl=context(self._known),
                subprotocols=[protocol.SUBPROTOCOL],  # type: ignore[list-item]
                additional_headers={"Authorization": f"Bearer {self._known.token}"},
                compression=None,
                max_size=MAX_MESSAGE,
                ping_interval=None,
                proxy=None,
            )
            with connecting as socket:
                self._serve(socket)
        except InvalidStatus as error:
            raise _refused(error, self._where.base) from None
        except InvalidHandshake as error:
            raise unreachable(self._where.base, error) from None

    def _serve(self, socket: ClientConnection) -> None:
        wishes = self._wishes
        hello = {
            "resume": self._welcome.get("session", ""),
            "rate": self._sink.rate if self._sink.rate in protocol.RATES else protocol.REPLY_RATE,
            "ahead": SENT_AHEAD,
            "language": wishes.language,
            "voice": wishes.voice,
            "mode": wishes.mode,
            "client": "edgevoice run --connect",
            "events": True,
            **wishes.fields,
        }
        socket.send(json.dumps({"type": "hello", **hello}))
        try:
            while not self._closed.is_set():
                data = socket.recv(timeout=SERVER_TIMEOUT)
                if isinstance(data, bytes):
                    self._play(protocol.read_frames(data))
                else:
                    self._handle(socket, data)
        except protocol.BadMessage as error:
            raise SessionError(f"the server's message is not understood: {error}") from None
        except ConnectionClosed:
            if not self._closed.is_set():
                raise
        finally:
            self._socket = None

    def _handle(self, socket: ClientConnection, data: str) -> None:
        try:
            message = from_json(data.encode("utf-8", "surrogatepass"), dict[str, Any])
        except Malformed as error:
            raise SessionError(f"the server's message is not understood: {error}") from None
        match message.get("type"):
            case "event":
                self._pass_on(message.get("event"))
            case "ping":
                socket.send(json.dumps({"type": "pong", "at": message.get("at", 0.0)}))
            case "welcome":
                self._begin(socket, message)
            case "queued":
                self._notice(f"the machine is busy: place {message.get('place')} in the queue")
            case "error":
                self._end(message)
            case _:
                pass

    def _end(self, message: dict[str, Any]) -> None:
        code, text = str(message.get("code", "")), str(message.get("text", ""))
        if code in FINAL:
            raise SessionError(text, where=self._where.base, remedy=str(message.get("remedy", "")))
        if self._ended_there:
            self.close()

    def _begin(self, socket: ClientConnection, message: dict[str, Any]) -> None:
        rate = message.get("rate")
        if rate != self._sink.rate:
            raise SessionError(
                f"the speaker plays {self._sink.rate} Hz, and the server sends {rate} Hz",
                remedy="choose another speaker: --output",
            )
        with self._lock:
            self._base, self._added = self._player.stop(), 0
            self._stream = int(message.get("stream", 0))
            self._welcome = message
            self._socket = socket
            self._socket_was_open = True

    def _pass_on(self, found: Any) -> None:
        with contextlib.suppress(Malformed):
            line = compatibility.event(json_bytes(found))
            event: ev.Event = from_json(line, ev.AnyEvent)  # type: ignore[arg-type]
            self._last = event.t
            self._ended_there = isinstance(event, ev.SessionEnded)
            self.bus.pass_on(event)

    def _notice(self, text: str) -> None:
        self.bus.pass_on(ev.Notice(t=self._last, text=text))

    def _play(self, message: ToClient) -> None:
        with self._lock, contextlib.suppress(DeviceError):
            if isinstance(message, PlayFrames):
                self._player.write(message.samples)
                return
            first, count = message.first + self._base + self._added, len(message.instead)
            begun = self._player.replace(first, message.instead)
            self._added += max(0, begun - first - count)

    def _report(self) -> None:
        reported: tuple[int, int] | None = None
        at = -math.inf
        while not self._closed.wait(REPORT_INTERVAL):
            with self._lock, contextlib.suppress(DeviceError):
                place = self._sink.position()
                now = self.clock.now()
                if (place.taken, self._stream) == reported and now - at < IDLE_INTERVAL:
                    continue
                reported, at = (place.taken, self._stream), now
                base = self._base + self._added
                self._send(
                    "position",
                    stream=self._stream,
                    taken=max(0, place.taken - base),
                    since=max(0, place.since - base),
                    number=max(-1, place.number - base),
                    time=None if place.time == math.inf else self._client_time(place.time),
                    starved=max(-1, place.starved - base),
                    sent=self._client_time(now),
                )

    def _client_time(self, time: float) -> float:
        """A session time of this machine, by the count of the microphone's samples."""
        if self._anchor is None:
            return time - self._origin
        index, at = self._anchor
        return index / CAPTURE_RATE + time - at

    def _capture(self) -> None:
        begin: int | None = None
        while not self._closed.is_set():
            try:
                frame = self._source.read()
            except DeviceError as error:
                self._notice(str(error))
                return
            if frame is None:
                break
            at = self._source.time_of(frame.index)
            if begin is None:
                begin = round(self._client_time(at) * CAPTURE_RATE) - frame.index
            self._anchor = (frame.index + begin, at)
            socket = self._socket
            if socket is not None and not self._scene.muted and frame.index + begin >= 0:
                with contextlib.suppress(ConnectionClosed, OSError):
                    socket.send(protocol.sound_bytes(frame.index + begin, frame.samples))
        # A file has ended: once the last question is answered, so is the session.
        while not self._closed.wait(0.1) and not self.is_idle():
            pass
        self.close()

    def _send(self, kind: str, **fields: Any) -> None:
        socket = self._socket
        if socket is not None:
            with contextlib.suppress(ConnectionClosed, OSError):
                socket.send(json.dumps({"type": kind, **fields}))

    def is_idle(self) -> bool:
        """Whether the server is ready, and no turn is under way."""
        return self._scene.ready and self._scene.live is None

    @property
    def listens(self) -> bool:
        """Whether speech is captured by now."""
        return self._scene.listens

    @property
    def talking(self) -> bool:
        """Whether push-to-talk is on."""
        return self._talking

    @property
    def muted(self) -> bool:
        """Whether the microphone is muted."""
        return self._scene.muted

    def interrupt(self) -> None:
        self._send("stop")

    def mute(self, on: bool) -> None:
        self._send("mute", on=on)

    def speak(self, on: bool) -> None:
        """Speak the replies, or only show them."""
        self._send("speak", on=on)

    def say(self, text: str) -> None:
        self._send("text", text=text[:4000])

    def talk(self, on: bool) -> None:
        self._talking = on
        self._send("talk", pressed=on)

    def new_conversation(self) -> None:
        self._send("new")

    def status(self) -> str:
        """Nothing: the status of a kiosk is on the other machine."""
        return "{}"

    def close(self, hurry: bool = False) -> None:
        """End the session."""
        self._closed.set()
        socket = self._socket
        if socket is not None:
            with contextlib.suppress(OSError, WebSocketException):
                socket.close()

    def transcript(self) -> str:
        """The conversation so far as text."""
        return "\n".join(markdown(list(self.recorder.events)))

    def save(self, path: Path) -> None:
        """Write the transcript so far if `path` ends in .md, else the events as JSON lines.

        Raises StorageError.
        """
        self.recorder.save(path)
        self.saved.append(path)

    def choices(
        self, kind: Literal["input", "output", "slm", "stt", "tts"]
    ) -> list[tuple[str, str]]:
        """The voices of the server; nothing else can be chosen from here."""
        voices = self._welcome.get("voices", []) if kind == "tts" else []
        return [(str(v["name"]), f"{v['name']}: {v['title']}") for v in voices]

    def choose(
        self,
        kind: Literal["input", "output", "slm", "stt", "tts"],
        value: str,
        keep: bool = False,
    ) -> None:
        """Use this voice of the server. Raises UsageError."""
        if value not in (name for name, _ in self.choices(kind)):
            raise UsageError(
                f"{value!r} cannot be chosen over the network",
                remedy="choose it on the machine with the models",
            )
        self._send("settings", voice=value)


def _refused(error: InvalidStatus, base: str) -> SessionError:
    """Why the server does not open a session."""
    status = error.response.status_code
    why = refused(base, bytes(error.response.body or b""), status)
    if status == 401:
        why.remedy = "use the whole address with the code that `edgevoice serve` shows, in quotes"
    return why
