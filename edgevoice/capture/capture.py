"""Capture: reads the microphone and passes frames to the utterance detector while activated."""

from __future__ import annotations

from edgevoice.audio import FRAME_SAMPLES, Frame, dbfs
from edgevoice.capture.faint import Faint
from edgevoice.capture.levels import LevelMeter
from edgevoice.capture.utterance_detector import UtteranceDetector
from edgevoice.capture.wake_gate import WakeGate
from edgevoice.context import Engines, StageContext
from edgevoice.protocols import AudioSource, SpeechDetector


class Capture:
    """Owns the microphone and the speech detector; runs in its own thread."""

    def __init__(
        self,
        context: StageContext,
        source: AudioSource,
        engines: Engines,
        utterances: UtteranceDetector,
    ) -> None:
        self._loaded = context.loaded
        self._wake_gate = WakeGate(context, engines.wake_detector)
        self._faint = Faint(context, engines.faint_detector)
        self._source = source
        self._load = engines.detector
        self._floor = context.floor
        self._bus = context.bus
        self._utterances = utterances
        self._passing = True
        self._closed = self._opening = False
        self.muted = False

    @property
    def talking(self) -> bool:
        """Whether push-to-talk is on: silence does not end the utterance."""
        return self._utterances.talking

    @talking.setter
    def talking(self, on: bool) -> None:
        self._utterances.talking = on

    def forget(self) -> None:
        """A new conversation, perhaps with another speaker: reset the speaker's tempo."""
        self._utterances.forget()

    def run(self) -> None:
        """Run until the source ends. Raises DeviceError when the microphone is lost."""
        detector = self._load()
        self._wake_gate.load()
        self._loaded("capture")
        self._faint.load()
        levels = LevelMeter(self._bus, self._source)
        expected: int | None = None
        while (frame := self._source.read()) is not None:
            if expected is not None and frame.index != expected:
                self._gap(detector, frame.index - expected)
            expected = frame.index + FRAME_SAMPLES
            if self.muted:
                self._drop(detector)
                probability = 0.0
            else:
                probability = self._process(frame, detector)
            self._mute_source(self.muted or not self._wake_gate.microphone)
            levels.add(-120.0 if self.muted else dbfs(frame.samples), probability)
        self._utterances.finish()

    def _process(self, frame: Frame, detector: SpeechDetector) -> float:
        """Process a frame while activated; returns the probability that it is speech."""
        utterances = self._utterances
        called = self._wake_gate.called(frame)
        if self.talking and utterances.full:
            self.talking = False
        delayed: list[Frame] = []
        if called is not None and not utterances.hearing:
            self._floor.cancel_others(None, "barge_in")
            delayed = utterances.recent(called, frame.index)
            utterances.called = called
        passing = self._wake_gate.passes(frame, held=self.talking, hearing=utterances.hearing)
        if delayed or (passing and not self._passing):
            # The detector's past frames end in a gap or in the wake word.
            detector.reset()
            utterances.restart()
        self._passing = passing
        if not passing:
            utterances.skip(frame)
            return 0.0
        for past in delayed:
            utterances.push(past, detector.probability(past.samples))
        probability = detector.probability(frame.samples)
        utterances.push(frame, probability)
        self._faint.step(frame)
        return probability

    def _mute_source(self, on: bool) -> None:
        """Close the microphone, or reopen it."""
        self._opening = (self._opening or self._closed) and not on
        self._closed = on
        self._source.mute(on)

    def _gap(self, detector: SpeechDetector, missing: int) -> None:
        """Samples are missing between the last frame and this one."""
        if self._opening and self.talking:
            # The key has just opened the microphone: only its opening time is missing.
            self._opening = False
            self._utterances.fill(missing)
            return
        self._utterances.finish_if_paused()
        self._drop(detector, "the microphone was away")

    def _drop(self, detector: SpeechDetector, why: str = "") -> None:
        self._wake_gate.reset()
        if self._utterances.drop(why):
            detector.reset()
