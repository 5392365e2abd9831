"""The real capture on virtual time: faster than they could listen, and the same every time.

Speech detector, recognizer and turn detector are the configured ones. What they take is told to the
clock, as it was measured on the two cores that docs/latency.md speaks of, so that waits come out as
they would in real time. What is replied is always the same sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgevoice import events as ev
from edgevoice.assistant import Assistant
from edgevoice.audio import EAR_RATE, Samples
from edgevoice.bus import Bus
from edgevoice.clock import Clock
from edgevoice.context import Engines
from edgevoice.devices.simulated import SimulatedSink, SimulatedSource
from edgevoice.models.store import Store
from edgevoice.protocols import (
    Effort,
    Recognizer,
    SpeechDetector,
    Transcript,
    TurnDetector,
    WakeDetector,
)
from edgevoice.resample import Resampler
from edgevoice.settings import Config
from edgevoice.testing.scripted import ScriptedLanguageModel, ScriptedSynthesizer
from edgevoice.testing.virtual import VirtualClock

READING = 0.11, 0.03
"""Seconds that Whisper base takes for a clip, and more for every second of it: 0.17 s for two."""
JUDGING = 0.06
"""Seconds that Smart Turn takes."""
FIXED_REPLY = "All right, I will do that."
QUIET_RATE = 16_000
REST = 3.0
"""Seconds of silence behind what is played, within which every turn ends."""
LONGEST_SESSION = 4 * 3600.0


@dataclass(frozen=True, slots=True)
class HearingEngines:
    """The engines that hear; one set serves any number of sessions."""

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
    """What happens when `sounds`, float32 [n] at 16 kHz, are heard one after the other.

    Sound number 0 begins at session time 0; each of the others when the one before has been
    answered and a rest is over.
    """
    clock = VirtualClock(LONGEST_SESSION)
    bus = Bus(clock)
    events: list[ev.Event] = []
    bus.subscribe(events.append)
    detector = engines.detector
    detector.reset()
    if engines.wake_detector is not None:
        engines.wake_detector.reset()
    assistant = Assistant(
        config,
        clock,
        bus,
        lambda idle: SimulatedSource(clock, iter(sounds), idle, "recordings", REST, at_once=True),
        SimulatedSink(clock, QUIET_RATE, "nobody"),
        Engines(
            lambda: detector,
            lambda: _Reading(engines.recognizer, clock),
            lambda: ScriptedLanguageModel(clock, lambda _: FIXED_REPLY, context=100_000),
            {"en": lambda: ScriptedSynthesizer(clock, QUIET_RATE)},
            lambda: engines.turn_detector and _Judging(engines.turn_detector, clock),
            lambda: engines.wake_detector,
            engines.wake_word,
        ),
        Resampler,
    )
    assistant.run()
    return events


class _Reading:
    """A recognizer whose work takes virtual time."""

    def __init__(self, recognizer: Recognizer, clock: Clock) -> None:
        self._recognizer = recognizer
        self._clock = clock

    def transcribe(
        self,
        samples: Samples,
        effort: Effort = "final",
        languages: Mapping[str, float] | None = None,
    ) -> Transcript:
        transcript = self._recognizer.transcribe(samples, effort, languages)
        fixed, each = READING
        self._clock.sleep(fixed + each * len(samples) / EAR_RATE)
        return transcript


class _Judging:
    """A turn detector whose work takes virtual time."""

    def __init__(self, detector: TurnDetector, clock: Clock) -> None:
        self._detector = detector
        self._clock = clock

    def end_probability(self, samples: Samples) -> float:
        complete = self._detector.end_probability(samples)
        self._clock.sleep(JUDGING)
        return complete
