"""What the stages of one session share, and how their engines are loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from edgevoice.bus import Bus
from edgevoice.clock import Clock
from edgevoice.protocols import (
    LanguageModel,
    Pronounce,
    Recognizer,
    SpeechDetector,
    Synthesizer,
    TurnDetector,
    WakeDetector,
)
from edgevoice.settings import Config
from edgevoice.turn_taking.earcons import Earcons
from edgevoice.turn_taking.floor import Floor

Part = Literal["capture", "transcription", "model", "prompt", "synthesis"]
"""What must be loaded before a session is ready; `prompt` is the evaluated system prompt."""


@dataclass(frozen=True, slots=True)
class SessionContext:
    """What everything in one session shares."""

    config: Config
    clock: Clock
    bus: Bus


@dataclass(frozen=True, slots=True)
class StageContext(SessionContext):
    """What the stages of the pipeline share as well."""

    floor: Floor
    earcons: Earcons
    loaded: Callable[[Part], None]
    """A stage reports a part that is loaded; may be called from any thread."""


@dataclass(frozen=True, slots=True)
class Engines:
    """How each engine is loaded; each is called once, in the thread that will use the engine."""

    detector: Callable[[], SpeechDetector]
    recognizer: Callable[[], Recognizer]
    language_model: Callable[[], LanguageModel]
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
