"""A client's conversation: a session whose microphone and speaker are at the end of a connection.

It goes on without a client for a while, so that a lost network or a reloaded page loses nothing.
"""

from __future__ import annotations

import queue
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from edgevoice import events as ev
from edgevoice.assistant import Assistant
from edgevoice.audio import Samples
from edgevoice.bus import Bus
from edgevoice.clock import SystemClock, local_time
from edgevoice.context import AudioIO, Resume, SessionContext
from edgevoice.devices.remote import ClientClock, RemoteSink, RemoteSource, ToClient
from edgevoice.devices.resilient_loudspeaker import ResilientLoudspeaker
from edgevoice.devices.resilient_microphone import ResilientMicrophone
from edgevoice.errors import DeviceError, EdgevoiceError
from edgevoice.open_devices import echo_free
from edgevoice.player import Player
from edgevoice.server import protocol
from edgevoice.server.feed import ClientFeed, Outgoing
from edgevoice.session import Session
from edgevoice.settings import Config

CLIENT_AHEAD = 2.0
"""Seconds of sound that a client has ahead: what a bad network needs."""

UNVERIFIED_AHEAD = 0.2
"""Seconds ahead of sound whose words may still be taken back."""

ClientBuild = Callable[[SessionContext, AudioIO, Resume], Assistant]
"""Builds the assistant of a client, from shared engines."""


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice to choose."""

    name: str
    title: str
    language: str


@dataclass(frozen=True, slots=True)
class Offers:
    """What a client can choose with a configuration, and what is used."""

    languages: Sequence[str]
    voices: Sequence[Voice]
    voice: str


class Listener(Protocol):
    """A connected client. Its methods may be called from any thread, and never wait."""

    def play(self, message: ToClient) -> None:
        """What its speaker is to do."""

    def tell(self, message: Outgoing) -> None:
        """The next message about the conversation."""

    def event(self, event: ev.Event) -> None:
        """The next event of the conversation."""

    def begin(self, stream: int) -> None:
        """The frames of its speaker are numbered from 0 again, in stream number `stream`."""

    def failed(self, error: EdgevoiceError) -> None:
        """The conversation ended by an error."""

    def ended(self) -> None:
        """The conversation has ended."""


class _Fixed:
    """The settings of a client are in its messages."""

    def changed(self, key: str, value: str) -> Config:
        raise NotImplementedError

    def keep(self, key: str, value: str) -> None:
        raise NotImplementedError


class ClientConversation:
    """Runs a session in a thread of its own. All methods may be called from any thread, and none
    waits for the models."""

    def __init__(
        self, device: str, config: Config, hello: protocol.Hello, build: ClientBuild, resume: Resume
    ) -> None:
        """`device` is the id of the paired device that it belongs to."""
        self.id = secrets.token_urlsafe(12)
        self.device = device
        self.rate = hello.rate if hello.rate in protocol.RATES else protocol.REPLY_RATE
        self.config = configured(config, hello)
        self._echo_cancelled = hello.echo_cancellation
        self._ahead = min(CLIENT_AHEAD, max(UNVERIFIED_AHEAD, hello.ahead))
        self._build = build
        self._clock = SystemClock()
        self.bus = Bus(self._clock)
        self._lock = threading.RLock()
        self._listener: Listener | None = None
        self._stream = 0
        self._client = ClientClock()
        self._source: RemoteSource | None = None
        self._sink: RemoteSink | None = None
        self._microphone: ResilientMicrophone | None = None
        self._speaker: ResilientLoudspeaker | None = None
        self._player: Player | None = None
        self._ended = False
        self.bus.subscribe(self._tell)
        self.bus.subscribe(self._limit_ahead)
        self.feed = ClientFeed()
        self.active = self._clock.now()
        """Session time of the last event of a turn."""
        self._drafts = False
        self._sure = -1
        """The last turn whose words are certain."""
        self.session = Session(
            self.config, self._clock, self.bus, self._assemble, _Fixed(), resume=resume
        )
        self._commands: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def start(self) -> None:
        """Begin; to be called once, after `attach`."""
        self._clock.spawn(self._run, "client")
        self._clock.spawn(self._obey, "client_commands")

    def _run(self) -> None:
        error: EdgevoiceError | None = None
        try:
            self.session.run()
        except EdgevoiceError as failure:
            error = failure
        except Exception as failure:
            # Its text could hold words; the type is enough to find the place with --debug.
            error = EdgevoiceError(f"the session failed: {type(failure).__name__}")
        finally:
            with self._lock:
                self._ended = True
                listener, self._listener = self._listener, None
            self._commands.put(None)
            if listener is not None:
                if error is not None:
                    listener.failed(error)
                listener.ended()

    def _obey(self) -> None:
        while (command := self._commands.get()) is not None:
            try:
                command()
            except EdgevoiceError as error:
                self.bus.emit(ev.Notice(text=str(error)))

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last event of a turn."""
        return self._clock.now() - self.active

    @property
    def ended(self) -> bool:
        """Whether the session is over."""
        return self._ended

    @property
    def attached(self) -> bool:
        """Whether a client is connected."""
        return self._listener is not None

    def _assemble(self, config: Config, resume: Resume) -> Assistant:
        self.config = config
        clock, name = self._clock, "a client on the network"
        microphone = ResilientMicrophone(clock, "", False, lambda _: self._new_source())
        speaker = ResilientLoudspeaker(clock, "", False, lambda _: self._new_sink(), self.rate)
        microphone.name = speaker.name = name
        # Connections come and go; a lost one is not an error.
        microphone.watched = speaker.watched = True
        player = Player(clock, speaker, 10 ** (config.turn.duck_db / 20))
        player.ahead = self._ahead
        with self._lock:
            self._microphone, self._speaker, self._player = microphone, speaker, player
            self._source = self._sink = None
            if self._listener is not None:
                self._open_speaker()
        if self._echo_cancelled:
            config = replace(config, echo=replace(config.echo, cancel="off"))
        source = echo_free(config, clock, self.bus, microphone, player)
        context = SessionContext(config, clock, self.bus, wall=local_time)
        return self._build(context, AudioIO(source, player), resume)

    def attach(self, listener: Listener) -> None:
        """A client is connected, instead of the one before."""
        self.detach()
        with self._lock:
            self._listener, self._client = listener, ClientClock()
            if self._speaker is not None:
                self._open_speaker()

    def _open_speaker(self) -> None:
        assert self._speaker is not None
        assert self._listener is not None
        self._stream += 1
        self._listener.begin(self._stream)
        self._speaker.fill()

    def detach(self, listener: Listener | None = None) -> None:
        """The client, or only `listener`, is no longer connected."""
        with self._lock:
            if self._listener is None or listener not in (None, self._listener):
                return
            self._listener = self._source = self._sink = None
            microphone, speaker = self._microphone, self._speaker
        if microphone is not None:
            microphone.empty()
        if speaker is not None:
            speaker.empty()

    def _new_source(self) -> RemoteSource:
        if self._source is None:
            raise DeviceError("the client sends no sound")
        return self._source

    def _new_sink(self) -> RemoteSink:
        listener = self._listener
        if listener is None:
            raise DeviceError("the client is not connected")
        self._sink = RemoteSink(self._clock, self._client, self.rate, "client", listener.play)
        return self._sink

    def sound(self, first: int, samples: Samples) -> None:
        """The client's microphone, float32 [n] at 16 kHz from sample number `first` on."""
        with self._lock:
            source, microphone = self._source, self._microphone
            if self._listener is None or microphone is None:
                return
            if source is None:
                source = RemoteSource(self._clock, self._client, "client", first)
                self._source = source
                microphone.fill()
        source.received(first, samples)

    def no_sound(self) -> None:
        """The client sends no sound for now: it is silent."""
        with self._lock:
            microphone, source, self._source = self._microphone, self._source, None
        if microphone is not None and source is not None:
            microphone.empty()

    def played(self, report: protocol.PlayedReport) -> None:
        """How far the client has played."""
        sink = self._sink
        if sink is not None and report.stream == self._stream:
            sink.received(report.position, report.sent)

    def command(self, message: protocol.FromClient) -> None:
        """Carry out a client's wish soon."""
        match message:
            case protocol.Talk():
                act: Callable[[], None] = partial(self.session.talk, message.pressed)
            case protocol.Text():
                act = partial(self.session.say, message.text)
            case protocol.Stop():
                act = self.session.interrupt
            case protocol.Mute():
                act = partial(self.session.mute, message.on)
            case protocol.Speak():
                act = partial(self.session.speak, message.on)
            case protocol.New():
                act = self.session.new_conversation
            case protocol.Settings():
                act = partial(self._change, message)
            case _:
                return
        self._commands.put(act)

    def _change(self, wanted: protocol.Settings) -> None:
        config = configured(self.config, wanted)
        if config != self.config:
            self.session.change(config)

    def _tell(self, event: ev.Event) -> None:
        if getattr(event, "turn", None) is not None:
            self.active = event.t
        messages = self.feed.add(event)
        if (listener := self._listener) is not None:
            listener.event(event)
            for message in messages:
                listener.tell(message)

    def _limit_ahead(self, event: ev.Event) -> None:
        """Words that may still be taken back must not be far ahead."""
        player = self._player
        match event:
            case ev.SessionStarted():
                self._drafts = "draft" in event.models
            case ev.TurnCommitted() if self._drafts and player is not None:
                player.ahead = self._ahead if event.turn == self._sure else UNVERIFIED_AHEAD
            case ev.DraftVerified() | ev.GenerationEnded() if player is not None:
                self._sure, player.ahead = event.turn, self._ahead
            case _:
                pass

    def close(self) -> None:
        """End the session; what was said is kept in `session.resume`."""
        self.session.close(hurry=True)


def configured(config: Config, wanted: protocol.Hello | protocol.Settings) -> Config:
    """The configuration with a client's choices."""
    if wanted.language:
        config = replace(config, stt=replace(config.stt, language=wanted.language))
    if wanted.voice:
        config = replace(config, models=replace(config.models, tts=wanted.voice))
    if wanted.mode:
        mode = "push" if wanted.mode == "push-to-talk" else "always"
        config = replace(config, activation=replace(config.activation, mode=mode))
    return config
