"""The real capture on virtual time: faster than real time, and the same every time.

Speech detector, recognizer and turn detector are the configured ones. The virtual clock advances by
what they take on two cores (docs/latency.md). The reply is always the same sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgevoice import events as ev
from edgevoice.agent.language_model_agent import LanguageModelAgent
from edgevoice.assistant import Assistant
from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.bus import Bus
from edgevoice.clock import Clock
from edgevoice.context import AudioIO, Engines, SessionContext
from edgevoice.devices.simulated import SimulatedSink, SimulatedSource
from edgevoice.models.store import Store
from edgevoice.player import Player
from edgevoice.protocols import (
    Effort,
    Recognizer,
    SpeechDetector,
    Transcript,
    TurnDetector,
    WakeDetector,
)
from edgevoice.settings import Config
from edgevoice.testing.scripted import ScriptedLanguageModel, ScriptedSynthesizer
from edgevoice.testing.virtual import VirtualClock

TRANSCRIBING = 0.11, 0.03
"""Seconds that Whisper base takes for a clip, and for every second of it."""
PREDICTING = 0.06
"""Seconds that Smart Turn takes."""
FIXED_REPLY = "All right, I will do that."
SILENT_RATE = 16_000
REST = 3.0
"""Seconds of silence after each sound, within which every turn ends."""
LONGEST_SESSION = 4 * 3600.0


@dataclass(frozen=True, slots=True)
class HearingEngines:
    """The engines of capture and transcription; one set serves any number of sessions."""

    detector: SpeechDetector
    recognizer: Recognizer
    turn_detector: TurnDetector | None
    wake_detector: WakeDetector | None = None
    wake_word: str = ""


def hearing_engines(config: Config) -> HearingEngines:
    """Loads the configured ones. Raises ModelError."""
    from edgevoice.build import wake_word
    from edgevoice.engines.registry import load

    store = Store(config)
    turn = store.optional("turn")
    wake, word = wake_word(config)
    return HearingEngines(
        load(store.choose("vad"), config),
        load(store.choose("stt"), config),
        load(turn, config) if turn else None,
        wake(),
        word,
    )


def overhear(config: Config, engines: HearingEngines, sounds: Sequence[Samples]) -> list[ev.Event]:
    """The events when `sounds`, float32 [n] at 16 kHz, are heard one after the other.

    The first starts at session time 0, each other after the answer to the one before and a rest.
    """
    clock = VirtualClock(LONGEST_SESSION)
    bus = Bus(clock)
    events: list[ev.Event] = []
    bus.subscribe(events.append)
    engines.detector.reset()
    if engines.wake_detector is not None:
        engines.wake_detector.reset()
    slm = ScriptedLanguageModel(clock, lambda _: FIXED_REPLY, context=100_000)
    assistant = Assistant(
        SessionContext(config, clock, bus),
        AudioIO(
            lambda idle: SimulatedSource(
                clock, iter(sounds), idle, "recordings", REST, at_once=True
            ),
            Player(clock, SimulatedSink(clock, SILENT_RATE, "nobody")),
        ),
        Engines(
            lambda: engines.detector,
            lambda: _TimedRecognizer(engines.recognizer, clock),
            lambda: LanguageModelAgent(slm, config),
            {"en": lambda: ScriptedSynthesizer(clock, SILENT_RATE)},
            lambda: engines.turn_detector and _TimedTurnDetector(engines.turn_detector, clock),
            lambda: engines.wake_detector,
            engines.wake_word,
        ),
    )
    assistant.run()
    return events


@dataclass(frozen=True, slots=True)
class _TimedRecognizer:
    recognizer: Recognizer
    clock: Clock

    def transcribe(
        self,
        samples: Samples,
        effort: Effort = "final",
        languages: Mapping[str, float] | None = None,
    ) -> Transcript:
        transcript = self.recognizer.transcribe(samples, effort, languages)
        fixed, each = TRANSCRIBING
        self.clock.sleep(fixed + each * len(samples) / CAPTURE_RATE)
        return transcript


@dataclass(frozen=True, slots=True)
class _TimedTurnDetector:
    detector: TurnDetector
    clock: Clock

    def end_probability(self, samples: Samples) -> float:
        probability = self.detector.end_probability(samples)
        self.clock.sleep(PREDICTING)
        return probability
