"""A recorded turn as a JSON file next to its sound.

docs/reference/formats.md documents every field. The file contains the conversation's text, and is
written only on request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from edgevoice import compatibility
from edgevoice import events as ev
from edgevoice.config import sections
from edgevoice.encoding import json_bytes
from edgevoice.outside import reason
from edgevoice.protocols import ChatMessage
from edgevoice.settings import Config
from edgevoice.versioned import FileFormat

FORMAT = "edgevoice turn"
VERSION = 2
"""Increase it for changes that an old reader would misread."""

RECORDED_SECTIONS = ("turn", "stt", "slm", "tts", "kokoro")
"""The sections whose settings are all recorded, because defaults change between versions."""


class PastMessage(Struct, frozen=True):
    """A message of the conversation before the turn."""

    role: str
    """`system`, `user` or `assistant`."""
    text: str
    """The text. For an interrupted reply, the part that was played."""
    interrupted: bool = False
    """Whether the reply was interrupted."""
    lead: str = ""
    """What the language model was told before a question: the date and time."""


class RecordedTurn(Struct, frozen=True, kw_only=True):
    """A recorded turn. `began` and the times in `events` are session times, in seconds."""

    format: str = FORMAT
    """Always `edgevoice turn`."""
    version: int = VERSION
    """Version of the format."""
    edgevoice: str
    """Version of the program."""
    platform: str
    """Operating system, architecture and Python."""
    session: str
    """Start of the session, ISO 8601 local time; equal for all turns of a run."""
    started: str
    """Start of the recording, ISO 8601 local time."""
    turn: int
    """Id of the turn within its session, as in its trace."""
    number: int = 0
    """Number among the answered turns of its session, as on the screen; 0 without a reply."""
    audio: str
    """File name of the recording."""
    began: float
    """Session time of the recording's first sample, in seconds."""
    seconds: float
    """Length of the recording."""
    speech_end: float
    """Last voiced sample, in seconds of the recording."""
    input: str
    """Microphone."""
    ending: str
    """`completed`, or the reason why it was not."""
    heard: str
    """The transcript."""
    reply: str
    """The generated text."""
    spoken: str
    """The part of the reply that was played."""
    response_time: float | None
    """Response time in seconds; null if no reply was audible."""
    spans: Mapping[str, float] = field(default_factory=dict)
    """Seconds of each span, in order."""
    models: Mapping[str, str] = field(default_factory=dict)
    """The model of each role."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Every setting of the sections turn, stt, slm and tts."""
    history: tuple[PastMessage, ...] = ()
    """The conversation before the turn, with the system prompt first."""
    events: tuple[msgspec.Raw, ...] = ()
    """The events of the turn as in a trace, without levels and resources."""

    @property
    def past(self) -> tuple[ChatMessage, ...]:
        """The messages before the turn, without the system prompt."""
        return tuple(
            ChatMessage(
                "user" if message.role == "user" else "assistant",
                message.text,
                interrupted=message.interrupted,
                lead=message.lead,
            )
            for message in self.history
            if message.role in ("user", "assistant")
        )

    def decoded_events(self) -> list[ev.Event]:
        """The events of the turn, without those that this version does not know."""
        heads = msgspec.json.Decoder(_Head)
        decoder = msgspec.json.Decoder(ev.AnyEvent)
        present = (compatibility.event(bytes(raw)) for raw in self.events)
        return [decoder.decode(raw) for raw in present if heads.decode(raw).type in ev.EVENT_TYPES]


class _Head(Struct):
    type: str


class _Version(Struct):
    version: int = VERSION


def settings_of(config: Config) -> dict[str, Any]:
    """The settings that influence a turn, by `section.key`, as JSON has them."""
    return {
        f"{section}.{f.name}": msgspec.json.decode(
            msgspec.json.encode(getattr(getattr(config, section), f.name))
        )
        for section in RECORDED_SECTIONS
        for f in msgspec.structs.fields(sections()[section])
    }


def raw(events: Sequence[ev.Event]) -> tuple[msgspec.Raw, ...]:
    """Events as JSON, as in a trace."""
    return tuple(msgspec.Raw(json_bytes(event)) for event in events)


def timed(events: Iterable[ev.Event]) -> list[ev.Event]:
    """The events that decide the times of a turn, without a cancellation by the session's end."""
    return [
        event
        for event in events
        if not (isinstance(event, ev.TurnCancelled) and event.reason == "shutdown")
    ]


def encoded(turn: RecordedTurn) -> str:
    """The turn as one line of JSON."""
    return json_bytes(turn).decode() + "\n"


TURN_FORMAT = FileFormat(
    RecordedTurn,
    FORMAT,
    VERSION,
    noun="recorded turn",
    missing="name a file that `edgevoice run --record-turns DIR` has written",
    newer="update edgevoice; the recording beside it is an ordinary WAV file",
    damaged="name another file; the recording beside it is an ordinary WAV file, which "
    "`edgevoice bench run --corpus FOLDER` and `edgevoice transcribe` can read",
    upgrade=compatibility.recorded_turn,
)


def read(path: Path) -> RecordedTurn:
    """Read a recorded turn. Raises EdgevoiceError for another, damaged or newer file."""
    turn = TURN_FORMAT.read(path)
    try:
        turn.decoded_events()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise TURN_FORMAT.broken(path, reason(error)) from None
    ending = compatibility.REASONS.get(turn.ending, turn.ending)
    settings = compatibility.settings(turn.settings)
    return msgspec.structs.replace(turn, version=VERSION, ending=ending, settings=settings)


def upgraded(path: Path) -> str | None:
    """A recorded turn of an older version as text of today's; None if it is of today's."""
    head = msgspec.json.decode(path.read_bytes(), type=_Version)
    if head.version >= VERSION:
        return None
    turn = read(path)
    events = tuple(msgspec.Raw(compatibility.event(bytes(each))) for each in turn.events)
    return encoded(msgspec.structs.replace(turn, events=events))
