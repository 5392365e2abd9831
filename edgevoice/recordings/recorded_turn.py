"""A kept turn as a file: what came of it and what it was made with, beside its recording.

docs/replay.md documents every field. It holds what was said, and is written only when asked for.
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
from edgevoice.versioned import Format

FORMAT = "edgevoice turn"
VERSION = 2
"""A change that an old reader would misread raises it."""

MATTER = ("turn", "stt", "slm", "tts")
"""The sections whose settings are kept, every one of them: defaults change from version to
version."""


class PastMessage(Struct, frozen=True):
    """A message of the conversation before the turn; of one that was `interrupted`, what was
    heard."""

    role: str
    text: str
    interrupted: bool = False


class RecordedTurn(Struct, frozen=True, kw_only=True):
    """One turn. `began` and the times in `events` are seconds on the session clock; `seconds` and
    `speech_end` are seconds of the recording, which begins at `began`."""

    format: str = FORMAT
    version: int = VERSION
    edgevoice: str
    platform: str
    session: str
    started: str
    turn: int
    audio: str
    began: float
    seconds: float
    speech_end: float
    input: str
    ending: str
    heard: str
    reply: str
    spoken: str
    gap: float | None
    spans: Mapping[str, float] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[PastMessage, ...] = ()
    events: tuple[msgspec.Raw, ...] = ()

    @property
    def past(self) -> tuple[ChatMessage, ...]:
        """What was said before it, as the model remembers it; no system prompt."""
        return tuple(
            ChatMessage(
                "user" if said.role == "user" else "assistant",
                said.text,
                interrupted=said.interrupted,
            )
            for said in self.history
            if said.role in ("user", "assistant")
        )

    def told(self) -> list[ev.Event]:
        """Its events; those that this version does not know are left out."""
        heads = msgspec.json.Decoder(_Head)
        decoder = msgspec.json.Decoder(ev.AnyEvent)
        told = (compatibility.event(bytes(raw)) for raw in self.events)
        return [decoder.decode(raw) for raw in told if heads.decode(raw).type in ev.KINDS]


class _Head(Struct):
    type: str


def settings_of(config: Config) -> dict[str, Any]:
    """Every setting that decides how a turn goes, by `section.key`."""
    return {
        f"{section}.{f.name}": getattr(getattr(config, section), f.name)
        for section in MATTER
        for f in msgspec.structs.fields(sections()[section])
    }


def raw(events: Sequence[ev.Event]) -> tuple[msgspec.Raw, ...]:
    """Events as they stand in a trace."""
    return tuple(msgspec.Raw(json_bytes(event)) for event in events)


def timed(events: Iterable[ev.Event]) -> list[ev.Event]:
    """The events that tell where the time of a turn went: one that only the end of the session
    broke off had its answer all the same."""
    return [
        event
        for event in events
        if not (isinstance(event, ev.TurnCancelled) and event.reason == "shutdown")
    ]


def encoded(turn: RecordedTurn) -> str:
    """The turn as one line of JSON."""
    return json_bytes(turn).decode() + "\n"


KEPT = Format(
    RecordedTurn,
    FORMAT,
    VERSION,
    noun="kept turn",
    missing="name one that `edgevoice run --keep-audio DIR` has written",
    newer="update edgevoice; the recording beside it is an ordinary WAV file",
    damaged="name another one; the recording beside it is an ordinary WAV file, which "
    "`edgevoice bench run --corpus FOLDER` and `edgevoice transcribe` take",
)


def read(path: Path) -> RecordedTurn:
    """A turn that was kept. Raises EdgevoiceError where it is none, damaged or a newer one's."""
    turn = KEPT.read(path)
    try:
        turn.told()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise KEPT.broken(path, reason(error)) from None
    ending = compatibility.REASONS.get(turn.ending, turn.ending)
    return msgspec.structs.replace(turn, version=VERSION, ending=ending)
