"""What the stages of one session share, and how their engines are loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from edgevoice import events as ev
from edgevoice.bus import Bus
from edgevoice.clock import Clock
from edgevoice.failures import FailureReporter
from edgevoice.history import History
from edgevoice.player import Player
from edgevoice.protocols import (
    Agent,
    AudioSource,
    Pronounce,
    Recognizer,
    SpeechDetector,
    Synthesizer,
    TurnDetector,
    WakeDetector,
)
from edgevoice.settings import Config
from edgevoice.turn_taking.earcons import EarconKind, Earcons
from edgevoice.turn_taking.floor import Floor

LoadedPart = Literal["capture", "transcription", "model", "prompt", "synthesis"]
"""What must be loaded before a session is ready; `prompt` is the evaluated system prompt."""


@dataclass(frozen=True, slots=True)
class SessionContext:
    """What everything in one session shares."""

    config: Config
    clock: Clock
    bus: Bus
    wall: Callable[[], datetime] | None = field(default=None, kw_only=True)
    """The local date and time that the language model is told; None: it is not told."""


class Announcer(Protocol):
    """What can say something without a question."""

    def announce(self, text: str, language: str) -> int | None:
        """Ring, and say something; returns the number of the turn, None if somebody speaks."""


class Ringer(Protocol):
    """Looks for what falls due, a few times a second; it is a subscriber of the bus."""

    def __call__(self, event: ev.Event) -> None: ...

    def step(self, announcer: Announcer, emit: Callable[[ev.Event], None]) -> None:
        """Announce what is due."""

    def stop(self) -> bool:
        """Stop announcing it again; false if nothing was."""


OpenSource = Callable[[Callable[[], bool]], AudioSource]
"""Opens a source; its argument tells whether the assistant is idle."""


@dataclass(frozen=True, slots=True)
class AudioIO:
    """The microphone and the speaker of a session, or what stands for them."""

    source: AudioSource | OpenSource
    sink: Player

    def opened(self, is_idle: Callable[[], bool]) -> AudioSource:
        """The source, opened if it is not yet."""
        return self.source(is_idle) if callable(self.source) else self.source


@dataclass(frozen=True, slots=True)
class Resume:
    """Where a conversation goes on: what was said, the number of the next turn, and how many turns
    were answered."""

    history: History
    next_turn: int = 0
    answered: int = 0


@dataclass(frozen=True, slots=True)
class StageContext(SessionContext):
    """What the stages of the pipeline share as well."""

    floor: Floor
    history: History
    """Guarded by the floor's monitor."""
    failures: FailureReporter
    earcons: Earcons
    play_earcon: Callable[[EarconKind], None]
    """Plays a sound that is not part of a reply; never blocks."""
    loaded: Callable[[LoadedPart], None]
    """A stage reports a part that is loaded; may be called from any thread."""


@dataclass(frozen=True, slots=True)
class Engines:
    """How each engine is loaded; each is called once, in the thread that will use the engine."""

    detector: Callable[[], SpeechDetector]
    recognizer: Callable[[], Recognizer]
    agent: Callable[[], Agent]
    synthesizers: Mapping[str, Callable[[], Synthesizer]]
    """The voice of each language that has one, the main language first. Languages may share a
    voice."""
    turn_detector: Callable[[], TurnDetector | None] = lambda: None
    wake_detector: Callable[[], WakeDetector | None] = lambda: None
    wake_word: str = ""
    """The phrase that the wake detector finds."""
    pronounce: Pronounce = lambda word, language: ()
    faint_detector: Callable[[], SpeechDetector | None] = lambda: None
    """A second speech detector, for speech that is too quiet for the first."""
    give_back: Callable[[], None] = lambda: None
    """Called when the session has ended and no longer uses its engines."""
