"""A whole session on virtual time: scripted speech in, events out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar, cast

import numpy as np
from msgspec.structs import replace

from edgevoice import events as ev
from edgevoice.agent.draft_first_agent import DraftFirstAgent
from edgevoice.agent.language_model_agent import LanguageModelAgent
from edgevoice.assistant import Assistant
from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.bus import Bus
from edgevoice.context import AudioIO, Engines, Resume, Ringer, SessionContext
from edgevoice.devices.simulated import SimulatedSink, SimulatedSource
from edgevoice.housekeeping import Housekeeping
from edgevoice.player import Player
from edgevoice.protocols import (
    Agent,
    AudioSink,
    AudioSource,
    ChatMessage,
    LanguageModel,
    PairedModel,
    Recognizer,
    SpeechDetector,
    Synthesizer,
    TurnDetector,
    WakeDetector,
)
from edgevoice.settings import SYSTEM_PROMPT, Config
from edgevoice.testing.scripted import (
    LoudnessDetector,
    Phrasebook,
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)
from edgevoice.testing.virtual import VirtualClock
from edgevoice.transcription.spoken_language import listed

E = TypeVar("E", bound=ev.Event)


SHORT_PROMPT = "word " * 48
"""Takes the place of the default system prompt, whose length must not move the times of a test."""


class Rehearsal:
    """Set clips and engines, call `run`, and examine the events.

    `clips` are played to the microphone, each when the turn before is over. Any engine or
    device can be replaced before `run`.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[ChatMessage]], str] | str = "All right.",
        config: Config | None = None,
    ) -> None:
        self.clock = VirtualClock()
        self.book = Phrasebook()
        self.config = config or Config()
        self.events: list[ev.Event] = []
        self.bus = Bus(self.clock)
        self.bus.subscribe(self.events.append)
        self.detector: Callable[[], SpeechDetector] = LoudnessDetector
        self.faint_detector: Callable[[], SpeechDetector | None] = lambda: None
        self.recognizer: Recognizer = ScriptedRecognizer(self.clock, self.book)
        self.slm: LanguageModel = ScriptedLanguageModel(
            self.clock, answer if callable(answer) else lambda _: answer
        )
        self.draft: PairedModel | None = None
        """What drafts for `slm`, which then verifies."""
        self.agent: Agent | None = None
        """What answers instead of the language model."""
        self.synthesizer: Synthesizer = ScriptedSynthesizer(self.clock)
        self.voices: dict[str, Synthesizer] = {}
        """The synthesizers of other languages than the main one."""
        self.turn_detector: TurnDetector | None = None
        self.wake_detector: WakeDetector | None = None
        self.sink: AudioSink = SimulatedSink(self.clock, 16_000, "virtual speaker")
        self.clips: list[Samples] = []
        self.source: Callable[[Callable[[], bool]], AudioSource] = self._source
        self.meter: Callable[[], ev.Resources] | None = None
        self.free_memory: Callable[[], object] = lambda: None
        """Called between turns, if there is a meter."""
        self.ringer: Ringer | None = None
        self.loading_seconds = 0.0
        self.wall: Callable[[], datetime] | None = None
        self.examples = False
        """Whether the model reads the example replies."""
        self.wait_for_ready = True
        """Whether the first clip waits for the assistant to be ready."""
        self._cues: list[tuple[float, Callable[[Assistant], None]]] = []

    @property
    def config(self) -> Config:
        """The configuration, with SHORT_PROMPT in place of the default system prompt."""
        return self._config

    @config.setter
    def config(self, config: Config) -> None:
        if config.slm.system_prompt == SYSTEM_PROMPT:
            config = replace(config, slm=replace(config.slm, system_prompt=SHORT_PROMPT))
        self._config = config

    def _source(self, idle: Callable[[], bool]) -> AudioSource:
        def clips() -> Iterator[Samples]:
            yield from self.clips

        def settled() -> bool:
            heard = any(isinstance(event, ev.TurnStarted) for event in self.events)
            return idle() if self.wait_for_ready or heard else True

        return SimulatedSource(self.clock, clips(), settled, "virtual microphone")

    def load_language_model(self) -> LanguageModel:
        """Load the language model, in `loading_seconds`."""
        self.clock.sleep(self.loading_seconds)
        return self.slm

    def _load_agent(self) -> Agent:
        if self.agent is not None:
            return self.agent
        config = replace(self.config, slm=replace(self.config.slm, examples=self.examples))
        slm = self.load_language_model()
        if self.draft is None:
            return LanguageModelAgent(slm, config)
        return DraftFirstAgent(self.draft, cast(PairedModel, slm), config)

    def _more_voices(self) -> dict[str, Callable[[], Synthesizer]]:
        def loads(voice: Synthesizer) -> Callable[[], Synthesizer]:
            return lambda: voice

        return {language: loads(voice) for language, voice in self.voices.items()}

    def hear(self, *spoken: tuple[float, str, float]) -> None:
        """Add a clip of phrases `(start, text, length)`, in seconds of the clip."""
        end = max(start + seconds for start, _, seconds in spoken)
        clip = np.zeros(int(end * CAPTURE_RATE), dtype=np.float32)
        for start, text, seconds in spoken:
            speech = self.book.speech(text, seconds)
            at = int(start * CAPTURE_RATE)
            clip[at : at + len(speech)] = speech
        self.clips.append(clip)

    def at(self, time: float, act: Callable[[Assistant], None]) -> None:
        """Call `act` with the assistant at session time `time`."""
        self._cues.append((time, act))

    def assemble(self, resume: Resume | None = None) -> Assistant:
        """The assistant, ready to run."""
        self.player = Player(self.clock, self.sink)
        main = (*listed(self.config.stt.language), "en")[0]
        return Assistant(
            SessionContext(self.config, self.clock, self.bus, wall=self.wall),
            AudioIO(self.source, self.player),
            Engines(
                lambda: self.detector(),
                lambda: self.recognizer,
                self._load_agent,
                {main: lambda: self.synthesizer, **self._more_voices()},
                lambda: self.turn_detector,
                lambda: self.wake_detector,
                self.config.wake.word if self.config.activation.mode == "wake" else "",
                faint_detector=lambda: self.faint_detector(),
            ),
            resume,
            Housekeeping(self.meter, self.free_memory) if self.meter else None,
            self.ringer,
        )

    def run(self) -> list[ev.Event]:
        """Run the session and return its events. Raises the session's errors."""
        assistant = self.assistant = self.assemble()

        def prompter() -> None:
            for time, act in sorted(self._cues, key=lambda cue: cue[0]):
                self.clock.sleep(time - self.clock.now())
                act(assistant)

        task = self.clock.spawn(prompter, "prompter")
        assistant.run()
        task.join()
        return self.events

    def all(self, kind: type[E]) -> list[E]:
        """Every event of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def heard(self) -> list[str]:
        """The played part of each reply."""
        return [event.heard for event in self.all(ev.TurnCompleted)]
