"""End-of-turn prediction from the sound of the last words.

It has its own thread, because the reply is prepared meanwhile. The score is needed only when the
first audio of the reply is there; scoring earlier takes a core from preparing it.
"""

from __future__ import annotations

from collections.abc import Callable

from edgevoice import events as ev
from edgevoice.bus import Bus
from edgevoice.clock import Clock
from edgevoice.failures import FailureReporter
from edgevoice.mailbox import Mailbox
from edgevoice.messages import Pause, pause_is_over
from edgevoice.protocols import TurnDetector
from edgevoice.settings import TurnSettings
from edgevoice.turn import Turn
from edgevoice.turn_taking.completeness import Completeness
from edgevoice.turn_taking.patience import PauseEvidence, wait_ms

NEWEST_REPLY_WEIGHT = 0.3
"""Weight of the newest reply in the usual silence."""

SOON_MS = 200
"""Score at once if the first audio usually comes at most this much later than a question's longest
wait: the next one may be faster."""


class EndOfTurnPredictor:
    """Owns the turn detector, if there is one; runs in its own thread."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        failures: FailureReporter,
        detector: Callable[[], TurnDetector | None],
        inbox: Mailbox[Pause],
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._failures = failures
        self._load = detector
        self._inbox = inbox
        self._scored: tuple[int, float] | None = None
        """Number of the last scored turn, and its score."""
        self.seconds = 0.0
        """Duration of the last score: a score that is needed sooner is not requested."""

    @property
    def present(self) -> bool:
        """Whether scores are available, now or when the detector is loaded."""
        return not self._inbox.closed

    def ask(self, pause: Pause) -> bool:
        """Request the score of a pause; false if that is not possible (yet). Returns at once."""
        return self._inbox.offer(pause)

    def score(self, turn: Turn) -> float | None:
        """Probability that the user has finished this turn; None if it is not known (yet)."""
        scored = self._scored
        return scored[1] if scored is not None and scored[0] == turn.number else None

    def run(self) -> None:
        """Run until the inbox is closed. Raises ModelError if the model cannot be loaded.

        Without a detector, or after it has failed (reported once), the inbox is closed: silence and
        text decide from then on.
        """
        try:
            detector = self._load()
            while detector is not None and (pause := self._inbox.get()) is not None:
                try:
                    self._score(pause, detector)
                except Exception as error:
                    self._failures.report("end_of_turn", pause.turn, error)
                    return
        finally:
            self._inbox.close()

    def _score(self, pause: Pause, detector: TurnDetector) -> None:
        began = self._clock.now()
        probability = detector.end_probability(pause.said.samples)
        self.seconds = self._clock.now() - began
        if not pause_is_over(pause):
            self._scored = pause.turn.number, probability
            self._bus.emit(
                ev.EndOfTurnScored(turn=pause.turn.number, complete=round(probability, 3))
            )


class EndOfTurnQueue:
    """The pause that waits for its score, and when to request it; runs in capture's thread."""

    def __init__(self, settings: TurnSettings, predictor: EndOfTurnPredictor) -> None:
        self._predictor = predictor
        self._pause: Pause | None = None
        self._was_ready = False
        self._usual_ms: float | None = None
        """The recent mean silence until the first audio of a reply was there."""
        most_cautious = PauseEvidence(complete=0.0, completeness=Completeness.QUESTION)
        self._soon_ms = wait_ms(settings, most_cautious) + SOON_MS

    @property
    def open(self) -> bool:
        """Whether scores are available, now or when the detector is loaded."""
        return self._predictor.present

    def score(self, turn: Turn) -> float | None:
        """Probability that the user has finished this turn; None if it is not known (yet)."""
        return self._predictor.score(turn)

    def enter(self, pause: Pause) -> None:
        """Set the newest pause; an older one needs no score."""
        self._pause = pause

    def request_early(self) -> None:
        """The pause has just begun: request its score if replies usually come soon, because a core
        is often free during transcription."""
        if self._usual_ms is not None and self._usual_ms <= self._soon_ms:
            self._request()

    def request(self, missing_ms: float) -> None:
        """Synthesis has begun: request the score if it will be there before the wait without it
        is over, after `missing_ms` more of silence."""
        if missing_ms > 1000 * self._predictor.seconds:
            self._request()

    def answered(self, audio_ready: bool, silence_ms: float) -> None:
        """Note the silence at which the first audio of a reply is ready."""
        if audio_ready and not self._was_ready:
            usual = silence_ms if self._usual_ms is None else self._usual_ms
            self._usual_ms = usual + (silence_ms - usual) * NEWEST_REPLY_WEIGHT
        self._was_ready = audio_ready

    def _request(self) -> None:
        if self._pause and self._predictor.ask(self._pause):
            self._pause = None
