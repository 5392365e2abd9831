"""Which clients talk, which wait, and which conversations wait for their client. In the loop."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from edgevoice import __version__
from edgevoice.context import Resume
from edgevoice.history import History
from edgevoice.server.connection import Closing, Connection
from edgevoice.server.conversation import ClientBuild, ClientConversation, Offers
from edgevoice.server.devices import PairedDevices
from edgevoice.server.feed import Outgoing
from edgevoice.settings import Config

MAX_KEPT = 32

MAX_WAITING = 16

MAX_CONNECTIONS_PER_DEVICE = 4

MAX_HISTORY = 40
"""Newest messages of the conversation that a client is told."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long what waits is kept, in seconds."""

    grace: float = 60.0
    """A session without its client."""
    short_grace: float = 5.0
    """The same while others wait."""
    idle: float = 180.0
    """A client without a turn, while others wait."""
    text: float = 1800.0
    """The text of an ended conversation."""


@dataclass(slots=True)
class _Kept:
    device: str
    resume: Resume
    since: float


class Lobby:
    """Admits clients to conversations: at most `capacity` at a time."""

    def __init__(
        self,
        config: Config,
        build: ClientBuild,
        offers: Callable[[Config], Offers],
        devices: PairedDevices,
        capacity: int,
        patience: Patience = Patience(),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.capacity = capacity
        self._patience = patience
        self._config, self._build, self._offers = config, build, offers
        self._devices = devices
        self._now = now
        self._connections: set[Connection] = set()
        self._running: dict[str, ClientConversation] = {}
        self._left: dict[str, float] = {}
        """By conversation: since when it has no client."""
        self._waiting: list[Connection] = []
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._resumed: dict[str, str] = {}
        """By a conversation's id: the id of the one that goes on with it."""

    @property
    def sessions(self) -> int:
        """How many conversations there are."""
        return len(self._running)

    @property
    def full(self) -> bool:
        """Whether one more client has to wait."""
        return len(self._running) >= self.capacity

    def connections(self, device: str) -> int:
        """How many connections this device has."""
        return sum(c.device.id == device for c in self._connections)

    def enter(self, connection: Connection) -> None:
        """A client is connected, and has said hello. Raises Closing."""
        connection.welcome = self._welcome
        wanted = connection.hello.resume
        found = self._running.get(self._resumed.get(wanted, wanted))
        if found and found.device == connection.device.id and not found.ended:
            self._take_over(found)
            self._connections.add(connection)
            self._attach(found, connection)
            return
        if self.full and len(self._waiting) >= MAX_WAITING:
            raise Closing("full", "too many devices are waiting already", "try again later")
        self._connections.add(connection)
        self._waiting.append(connection)
        self.step()

    def leave(self, connection: Connection) -> None:
        """A client's connection has ended."""
        self._connections.discard(connection)
        if connection in self._waiting:
            self._waiting.remove(connection)
        conversation = connection.conversation
        if conversation is not None:
            conversation.detach(connection)
            if not conversation.attached:
                self._left[conversation.id] = self._now()
        self.step()

    def step(self) -> None:
        """Admit who can be admitted, and end what nobody needs. To be called each second."""
        self._end()
        while self._waiting and not self.full:
            self._admit(self._waiting.pop(0))
        for place, connection in enumerate(self._waiting, 1):
            if connection.place != place:
                connection.place = place
                connection.send({"type": "queued", "place": place})

    def check_revoked(self) -> None:
        """Disconnect the clients whose device is no longer paired. Raises StorageError."""
        paired = {device.id for device in self._devices.all()}
        for connection in list(self._connections):
            if connection.device.id not in paired:
                connection.close(Closing("revoked", "this device is no longer paired", "pair it"))
        for conversation in self._running.values():
            if conversation.device not in paired:
                conversation.close()
        for key in [key for key, kept in self._kept.items() if kept.device not in paired]:
            del self._kept[key]

    def close(self) -> None:
        """End all conversations."""
        for conversation in self._running.values():
            conversation.close()

    def wait_for_end(self, seconds: float) -> None:
        """Wait until the closed conversations have ended; may be called from any thread."""
        until = self._now() + seconds
        while self._now() < until and not all(c.ended for c in list(self._running.values())):
            time.sleep(0.02)

    def _end(self) -> None:
        now = self._now()
        patience = self._patience
        grace = patience.short_grace if self._waiting else patience.grace
        for conversation in list(self._running.values()):
            left = self._left.get(conversation.id)
            if conversation.ended:
                self._forget(conversation)
            elif left is not None and now - left > grace:
                conversation.close()
            elif self._waiting and left is None and conversation.idle_seconds > patience.idle:
                self._turn_out(conversation)
        while self._kept and (
            len(self._kept) > MAX_KEPT
            or now - next(iter(self._kept.values())).since > patience.text
        ):
            old, _ = self._kept.popitem(last=False)
            self._resumed = {k: v for k, v in self._resumed.items() if v != old}

    def _forget(self, conversation: ClientConversation) -> None:
        del self._running[conversation.id]
        self._left.pop(conversation.id, None)
        resume = conversation.session.resume
        self._kept[conversation.id] = _Kept(conversation.device, resume, self._now())

    def _turn_out(self, conversation: ClientConversation) -> None:
        for connection in self._connections:
            if connection.conversation is conversation:
                connection.close(
                    Closing("idle", "another device was waiting", "connect again to go on")
                )
        conversation.close()

    def _admit(self, connection: Connection) -> None:
        hello = connection.hello
        old = self._resumed.get(hello.resume, hello.resume)
        kept = self._kept.get(old)
        if kept is not None and kept.device == connection.device.id:
            del self._kept[old]
            resume = kept.resume
        else:
            resume = Resume(History(self._config.slm.system_prompt))
        device = connection.device.id
        conversation = ClientConversation(device, self._config, hello, self._build, resume)
        if kept is not None and kept.resume is resume:
            self._resumed = {
                k: conversation.id if v == old else v for k, v in self._resumed.items()
            } | {old: conversation.id}
        self._running[conversation.id] = conversation
        self._attach(conversation, connection)
        conversation.start()

    def _attach(self, conversation: ClientConversation, connection: Connection) -> None:
        connection.place = 0
        connection.conversation = conversation
        self._left.pop(conversation.id, None)
        conversation.attach(connection)

    def _take_over(self, conversation: ClientConversation) -> None:
        for other in self._connections:
            if other.conversation is conversation:
                other.conversation = None
                other.close(Closing("taken_over", "the conversation goes on elsewhere"))

    def _welcome(self, connection: Connection, stream: int) -> Outgoing:
        conversation = connection.conversation
        if conversation is None:
            return {"type": "welcome"}
        config, scene = conversation.config, conversation.feed.scene
        offers = self._offers(config)
        past = conversation.session.resume.history.messages
        push = config.activation.mode == "push"
        return {
            "type": "welcome",
            "session": conversation.id,
            "resumed": bool(connection.hello.resume) or stream > 1,
            "stream": stream,
            "rate": conversation.rate,
            "language": config.stt.language,
            "languages": offers.languages,
            "voice": offers.voice,
            "voices": offers.voices,
            "mode": "push-to-talk" if push else "hands-free",
            "history": [
                {"role": m.role, "text": m.text, "interrupted": m.interrupted}
                for m in past
                if m.role in ("user", "assistant") and not m.example
            ][-MAX_HISTORY:],
            "muted": scene.muted,
            "speaks": scene.speaks,
            "ready": conversation.feed.ready,
            "version": __version__,
        }
