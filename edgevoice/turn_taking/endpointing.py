"""Endpointing: from the speech probabilities of frames to the beginning and end of an utterance.

Pure: it uses samples and silence, not clocks or engines. A pause is reported before the end, so
that the reply is prepared while the user may still go on. Evidence about the pause, which may come
late and in parts, decides how long the silence must last.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from enum import Enum

from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES
from edgevoice.settings import TurnSettings
from edgevoice.turn_taking.completeness import completeness_of
from edgevoice.turn_taking.interruption import thresholds
from edgevoice.turn_taking.patience import PauseEvidence, longest_ms, wait_ms
from edgevoice.turn_taking.speaker_tempo import SpeakerTempo

HYSTERESIS = 0.15
"""How far below the threshold the probability must fall before a frame counts as silence."""

RESUME_SAMPLES = 2 * FRAME_SAMPLES
"""Voiced samples after a pause that mean the user goes on; one frame may be a click."""

GAPPY = 1.5
"""Longest time for the voiced time of an interruption, as a factor. For 256 ms of voice, 95 % of
157 recordings are detected within 302 ms of the first sample; 426 ms if each gap starts again.
Keyboard, dishes and rain are not detected either way."""

QUIET_SAMPLES = 3 * FRAME_SAMPLES
"""Least silent samples in a row before an early end: the last sound may begin a word."""

MAYBE_SPEECH = 0.15
"""Speech probability from which a silent frame prevents an early end. Every second frame just
before the user goes on reaches it, and one in thirty after a last word."""


class BoundaryKind(Enum):
    """The kind of a boundary."""

    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Boundary:
    """A boundary and its stream index: the first voiced sample for STARTED and RESUMED, the sample
    after the last voiced one for PAUSED and ENDED."""

    signal: BoundaryKind
    index: int


class Endpointer:
    """Follows one stream of frames of `FRAME_SAMPLES` samples.

    Every frame goes through `step`. After PAUSED, prepare the reply and collect evidence: the turn
    detector's probability for the utterance, and the transcript. Pass each to `weigh` with the
    index of that PAUSED; evidence about an earlier pause is ignored, so it may come late. Once the
    first audio of the reply waits, pass `ready=True` to `step`. It returns ENDED as soon as the
    silence has lasted as long as the evidence demands. After RESUMED, drop the reply.

        boundary = endpoint.step(detector.probability(frame), index, ready=audio_ready)
        if boundary and boundary.signal is BoundaryKind.PAUSED:
            pause = boundary.index  # then, when known, in this thread:
        endpoint.weigh(pause, complete=turn_detector.end_probability(utterance))
        endpoint.weigh(pause, text=transcript.text, language=transcript.language)
    """

    def __init__(self, settings: TurnSettings, tempo: SpeakerTempo | None = None) -> None:
        self._settings = settings
        self.tempo = tempo or SpeakerTempo(settings)
        self.ended_at_ms = 0.0
        """The wait that ended the last utterance."""
        self._notice_ms = thresholds(settings).notice_ms
        self.reset()

    def reset(self) -> None:
        """Drop the current utterance."""
        self._speaking = False
        self._paused = False
        self._held = False
        self._run = 0
        self._run_start = 0
        self._lately: deque[int] = deque(maxlen=-(-_samples(self._notice_ms) // FRAME_SAMPLES) or 1)
        """Stream indices of the last voiced frames."""
        self._started = 0
        self._voiced_end = 0
        self._silence = 0
        self._quiet = 0
        self._may_end = False
        self._evidence = PauseEvidence()
        self._wait = self._weighed()
        self.voiced = 0
        """Voiced samples of the utterance so far."""

    @property
    def speaking(self) -> bool:
        """Whether an utterance is under way, pauses included."""
        return self._speaking

    @property
    def paused(self) -> bool:
        """Whether the utterance is in a pause that has been reported."""
        return self._paused

    @property
    def may_end(self) -> bool:
        """Whether the first audio of the reply would end the turn now."""
        return self._may_end

    def finish(self) -> Boundary:
        """End the utterance because its reply has begun; call it when `may_end`."""
        return self._end()

    def hold(self, index: int) -> Boundary | None:
        """Begin an utterance at `index` in any case; silence does not end it until `release`."""
        self._held = True
        if self._speaking:
            return None
        self._begin(index)
        return Boundary(BoundaryKind.STARTED, index)

    def release(self, index: int) -> Boundary | None:
        """End the utterance that was begun by `hold`."""
        if not (self._held and self._speaking):
            return None
        self._voiced_end = self._voiced_end or index
        return self._end()

    @property
    def wait_ms(self) -> float:
        """Silence in milliseconds that ends the turn, by the evidence so far."""
        return self._wait

    @property
    def missing_ms(self) -> float:
        """Milliseconds of silence until then; 0 if the silence has lasted long enough."""
        return max(0.0, self._wait - self.silence_ms)

    @property
    def silence_ms(self) -> float:
        """The milliseconds of silence so far."""
        return 1000 * self._silence / CAPTURE_RATE

    def weigh(
        self,
        pause: int,
        *,
        complete: float | None = None,
        text: str | None = None,
        language: str = "en",
    ) -> bool:
        """Add evidence about the pause whose PAUSED boundary has the index `pause`.

        `complete` is a turn detector's probability that the turn is finished, `text` the transcript
        of the utterance. Newer evidence replaces older evidence of its kind. Returns whether that
        pause still lasts; evidence about another one is ignored.
        """
        if not self._paused or pause != self._voiced_end:
            return False
        if complete is not None:
            self._evidence = replace(self._evidence, complete=complete)
        if text is not None:
            self._evidence = replace(self._evidence, completeness=completeness_of(text, language))
        self._wait = self._weighed()
        return True

    def _weighed(self) -> float:
        return wait_ms(self._settings, self._evidence, self.tempo.factor)

    def step(
        self,
        probability: float,
        index: int,
        *,
        interrupting: bool = False,
        ready: bool = False,
    ) -> Boundary | None:
        """Take the frame that begins at `index`; returns at most one boundary.

        `interrupting`: require the longer voiced time of a barge-in before an utterance begins.
        `ready`: the first audio of the reply waits. Until then only the longest silence ends the
        turn, because an earlier end would gain nothing.
        """
        self._may_end = False
        hysteresis = HYSTERESIS if self._run or self._speaking else 0.0
        threshold = max(self._settings.speech_threshold - hysteresis, 0.01)
        if probability >= threshold:
            return self._step_voiced(index, interrupting)
        return self._step_silent(index + FRAME_SAMPLES, probability, ready)

    def _step_voiced(self, index: int, interrupting: bool) -> Boundary | None:
        end = index + FRAME_SAMPLES
        self._quiet = 0
        if not self._run:
            self._run_start = index
        self._run += FRAME_SAMPLES
        if self._speaking:
            return self._voiced(end)
        self._lately.append(index)
        if interrupting:
            return self._interrupting(end)
        if self._run >= _samples(self._settings.min_speech_ms):
            return self._start(self._run_start, end, self._run)
        return None

    def _step_silent(self, end: int, probability: float, ready: bool) -> Boundary | None:
        s = self._settings
        self._run = 0
        self._quiet += FRAME_SAMPLES
        if not self._speaking or self._held:
            return None
        self._silence = silence = end - self._voiced_end
        calm = probability < MAYBE_SPEECH and self._quiet >= QUIET_SAMPLES
        if (
            self._is_over(silence, calm, ready)
            or end - self._started >= s.max_seconds * CAPTURE_RATE
        ):
            return self._end()
        if not self._paused and silence >= _samples(s.pause_ms):
            self._paused = True
            return Boundary(BoundaryKind.PAUSED, self._voiced_end)
        return None

    def _interrupting(self, end: int) -> Boundary | None:
        """Require enough voiced time for a barge-in, with short gaps allowed."""
        needed = _samples(self._notice_ms)
        while self._lately[0] < end - needed * GAPPY:
            self._lately.popleft()
        voiced = len(self._lately) * FRAME_SAMPLES
        return self._start(self._lately[0], end, voiced) if voiced >= needed else None

    def _start(self, index: int, end: int, voiced: int) -> Boundary:
        self._begin(index)
        self._voiced_end = end
        self.voiced = voiced
        return Boundary(BoundaryKind.STARTED, index)

    def _is_over(self, silence: int, calm: bool, ready: bool) -> bool:
        if silence >= _samples(longest_ms(self._settings, self.tempo.factor)):
            return True
        self._may_end = self._paused and calm and silence >= _samples(self._wait)
        # Without speculation the reply is prepared after the end, so there is no audio to wait for.
        return self._may_end and (ready or not self._settings.speculate)

    def _voiced(self, end: int) -> Boundary | None:
        if self._paused and self._run < RESUME_SAMPLES:
            return None
        paused_at = self._voiced_end
        self.voiced += FRAME_SAMPLES
        self._voiced_end = end
        if self._paused:
            self.tempo.paused(1000 * (self._run_start - paused_at) / CAPTURE_RATE, self._wait)
            self._paused = False
            self._evidence = PauseEvidence()
            self._wait = self._weighed()
            return Boundary(BoundaryKind.RESUMED, self._run_start)
        if not self._held and end - self._started >= self._settings.max_seconds * CAPTURE_RATE:
            return self._end()
        return None

    def _begin(self, index: int) -> None:
        self._speaking = True
        self._paused = False
        self._started = index
        self._voiced_end = 0
        self.voiced = 0

    def _end(self) -> Boundary:
        mark = Boundary(BoundaryKind.ENDED, self._voiced_end)
        voiced, self.ended_at_ms = self.voiced, self._wait
        self.reset()
        self.voiced = voiced
        return mark


def _samples(milliseconds: float) -> int:
    return int(milliseconds * CAPTURE_RATE / 1000)
