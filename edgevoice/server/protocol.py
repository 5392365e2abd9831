"""What a client and the server say to each other: one WebSocket, JSON text and binary sound.

docs/serve.md names the address. Sound is 16-bit mono. The client counts the samples of its
microphone; this count, divided by 16 kHz, is its clock, and starts at 0 with each connection.
"""

from __future__ import annotations

import math
import struct
from typing import Annotated, Literal, Union

import numpy as np
from msgspec import Meta, Struct

from edgevoice.audio import Samples
from edgevoice.devices.remote import PlayFrames, ReplaceFrames, ToClient
from edgevoice.outside import Malformed, from_json
from edgevoice.player import NOTHING
from edgevoice.protocols import Position

VERSION = 1

SUBPROTOCOL = "edgevoice.v1"

MAX_TEXT_BYTES = 16_384
"""Longest JSON message of a client."""

MAX_SAMPLES = 4096
"""Most microphone samples in a message."""

SOUND_HEADER = struct.Struct("<Q")
"""Number of the first sample of the microphone."""

FRAMES_HEADER = struct.Struct("<QIHBx")
"""Number of the first frame, count of frames, fade in frames, and kind: 0 play, 1 replace."""

MAX_MESSAGE_BYTES = max(MAX_TEXT_BYTES, SOUND_HEADER.size + 2 * MAX_SAMPLES)

RATES = (16_000, 22_050, 24_000, 44_100, 48_000)
"""Sample rates of the reply that a client may ask for, in Hz."""

REPLY_RATE = 24_000

MAX_CLIENT_TIME = 1e7
"""A client's clock, in seconds; a third of a year."""

MAX_FRAME_NUMBER = 2**48

Time = Annotated[float, Meta(ge=-60.0, le=MAX_CLIENT_TIME)]
Number = Annotated[int, Meta(ge=-MAX_FRAME_NUMBER, le=MAX_FRAME_NUMBER)]
Name = Annotated[str, Meta(max_length=100)]

Mode = Literal["hands-free", "push-to-talk"]


class Message(Struct, frozen=True, tag_field="type", tag=str.lower):
    """Base of all messages of a client."""


class Hello(Message, frozen=True):
    """The first message. `resume` is the session to go on with; `events`: send all events too.
    At most `ahead` seconds of sound are sent before they are played."""

    version: int = VERSION
    resume: Name = ""
    rate: int = REPLY_RATE
    language: Name = ""
    voice: Name = ""
    mode: Mode | None = None
    echo_cancellation: bool = True
    capture: bool = True
    client: Name = ""
    ahead: Annotated[float, Meta(ge=0.1, le=10.0)] = 2.0
    events: bool = False


class Talk(Message, frozen=True):
    """The talk key was pressed or released."""

    pressed: bool


class Text(Message, frozen=True):
    """A typed question."""

    text: Annotated[str, Meta(max_length=4000)]


class Stop(Message, frozen=True):
    """Stop the current reply."""


class Mute(Message, frozen=True):
    """Mute the microphone, or unmute it."""

    on: bool


class Speak(Message, frozen=True):
    """Speak the replies, or only show them."""

    on: bool


class Capturing(Message, frozen=True, tag="capture"):
    """Whether the client sends its microphone."""

    on: bool


class Settings(Message, frozen=True):
    """Go on in another way."""

    language: Name = ""
    voice: Name = ""
    mode: Mode | None = None


class New(Message, frozen=True):
    """Begin a new conversation."""


class PlayedReport(Message, frozen=True, tag="position"):
    """How far the client has played the reply; times of the client's clock. See Position."""

    stream: int
    taken: Number
    since: Number
    number: Number
    starved: Number
    sent: Time
    time: Time | None = None
    underruns: Annotated[int, Meta(ge=0, le=MAX_FRAME_NUMBER)] = 0

    @property
    def position(self) -> Position:
        """As a sink has it."""
        time = math.inf if self.time is None else self.time
        taken, since, starved = max(0, self.taken), max(0, self.since), max(-1, self.starved)
        return Position(taken, since, self.number, time, starved, self.underruns)


class Ping(Message, frozen=True):
    """Asks for a Pong with the same `at`."""

    at: float


class Pong(Message, frozen=True):
    """The answer to a ping of the server."""

    at: float


FromClient = Union[
    Hello, Talk, Text, Stop, Mute, Speak, Capturing, Settings, New, PlayedReport, Ping, Pong
]  # fmt: skip


class BadMessage(ValueError):
    """A client's message that is not understood."""


def read_text(text: str) -> FromClient:
    """A client's JSON message. Raises BadMessage."""
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > MAX_TEXT_BYTES:
        raise BadMessage(f"a message has at most {MAX_TEXT_BYTES} bytes")
    try:
        message: FromClient = from_json(data, FromClient)  # type: ignore[arg-type]
    except Malformed as error:
        raise BadMessage(str(error)) from None
    return message


def read_sound(data: bytes) -> tuple[int, Samples]:
    """Number of the first sample, and float32 [n] of the microphone. Raises BadMessage."""
    size = len(data) - SOUND_HEADER.size
    if size < 2 or size % 2 or size > 2 * MAX_SAMPLES:
        raise BadMessage(f"a sound message has 8 bytes and 1 to {MAX_SAMPLES} samples of 2 bytes")
    (first,) = SOUND_HEADER.unpack_from(data)
    if first > MAX_CLIENT_TIME * 16_000:
        raise BadMessage("the sample number is out of range")
    pcm = np.frombuffer(data, dtype="<i2", offset=SOUND_HEADER.size)
    return first, pcm.astype(np.float32) / np.float32(32_768)


def sound_bytes(first: int, samples: Samples) -> bytes:
    """The message that `read_sound` reads."""
    return SOUND_HEADER.pack(first) + _pcm(samples)


def frames_bytes(message: ToClient) -> bytes:
    """What the client's speaker is to do, as a message."""
    if isinstance(message, PlayFrames):
        samples, fade, kind = message.samples, 0, 0
    else:
        samples, fade, kind = message.instead, message.fade, 1
    head = FRAMES_HEADER.pack(message.first, len(samples), fade, kind)
    return head + _pcm(samples)


def read_frames(data: bytes) -> ToClient:
    """The message that `frames_bytes` makes. Raises BadMessage."""
    if len(data) < FRAMES_HEADER.size:
        raise BadMessage("a message of the server is too short")
    first, count, fade, kind = FRAMES_HEADER.unpack_from(data)
    pcm = np.frombuffer(data, dtype=np.uint8, offset=FRAMES_HEADER.size)
    if len(pcm) != 2 * count or kind > 1:
        raise BadMessage("a message of the server has the wrong length")
    samples = pcm.view("<i2").astype(np.float32) / np.float32(32_768) if count else NOTHING
    return ReplaceFrames(first, samples, fade) if kind else PlayFrames(first, samples)


def _pcm(samples: Samples) -> bytes:
    pcm: bytes = np.rint(np.clip(samples, -1.0, 1.0) * np.float32(32_767)).astype("<i2").tobytes()
    return pcm
