"""The judge: whether the user has finished, by how the last words sounded.

A loop of its own, because the answer is being made meanwhile: the judgement is wanted only when the
first sound of it is there, and whoever asks for it sooner takes a core from what makes that sound.
"""

from __future__ import annotations

from collections.abc import Callable

from edgevoice import events as ev
from edgevoice.mailbox import Mailbox
from edgevoice.messages import Pause, pause_is_over
from edgevoice.protocols import TurnDetector
from edgevoice.settings import TurnSettings
from edgevoice.turn_taking.completeness import Completeness
from edgevoice.turn_taking.floor import Floor
from edgevoice.turn_taking.patience import PauseEvidence, wait_ms

NEWEST = 0.3
"""The weight of the newest answer in what is usual."""

SOON_MS = 200
"""How much later than a question's longest wait an answer may usually come, and the judgement is
still asked for at once: the next answer may be quicker."""


class EndOfTurnPredictor:
    """Owns the turn detector, if there is one; runs in a thread of its own."""

    def __init__(
        self, detector: Callable[[], TurnDetector | None], floor: Floor, inbox: Mailbox[Pause]
    ) -> None:
        self._load = detector
        self._floor = floor
        self._bus = floor.bus
        self._inbox = inbox
        self.seconds = 0.0
        """What the last judgement took: whoever needs one sooner need not ask."""

    @property
    def present(self) -> bool:
        """Whether a judgement can be had, now or when the detector is loaded."""
        return not self._inbox.closed

    def ask(self, pause: Pause) -> bool:
        """Have a pause judged; false where that cannot be done (yet). Returns at once."""
        return self._inbox.offer(pause)

    def run(self) -> None:
        """Judge until the inbox is closed. Raises ModelError when the model cannot be loaded.

        Without a detector, or when it has failed, which is told once, the inbox is closed: silence
        and words decide from then on.
        """
        try:
            detector = self._load()
            while detector is not None and (pause := self._inbox.get()) is not None:
                try:
                    self._score(pause, detector)
                except Exception as error:
                    self._floor.report_failure("end_of_turn", pause.turn, error)
                    return
        finally:
            self._inbox.close()

    def _score(self, pause: Pause, detector: TurnDetector) -> None:
        began = self._floor.clock.now()
        probability = detector.end_probability(pause.said.samples)
        self.seconds = self._floor.clock.now() - began
        if not pause_is_over(pause):
            pause.turn.end_probability = probability
            self._bus.emit(
                ev.EndOfTurnScored(turn=pause.turn.number, complete=round(probability, 3))
            )


class EndOfTurnQueue:
    """The pause that awaits its judgement, and when asking for it is worth a core.

    Belongs to the ears' thread, as the endpoint does.
    """

    def __init__(self, settings: TurnSettings, predictor: EndOfTurnPredictor) -> None:
        self._predictor = predictor
        self._pause: Pause | None = None
        self._was_ready = False
        self._usual_ms: float | None = None
        """The silence after which the first sound of an answer was there, of late."""
        most_cautious = PauseEvidence(complete=0.0, completeness=Completeness.QUESTION)
        self._soon_ms = wait_ms(settings, most_cautious) + SOON_MS

    @property
    def open(self) -> bool:
        """Whether a judgement can be had, now or when the detector is loaded."""
        return self._predictor.present

    def enter(self, pause: Pause) -> None:
        """The newest pause; an older one needs no judgement any more."""
        self._pause = pause

    def request_early(self) -> None:
        """The pause has just begun: have it judged if answers usually come soon, for while the
        recognizer reads, on a core of its own, there is often one to spare."""
        if self._usual_ms is not None and self._usual_ms <= self._soon_ms:
            self._request()

    def request(self, missing_ms: float) -> None:
        """The first clause is being made sound: have the pause judged if the judgement will be
        there before the wait without it, `missing_ms` more of silence, is over."""
        if missing_ms > 1000 * self._predictor.seconds:
            self._request()

    def answered(self, audio_ready: bool, silence_ms: float) -> None:
        """Note after how much silence there was something to be heard, if there is now."""
        if audio_ready and not self._was_ready:
            usual = silence_ms if self._usual_ms is None else self._usual_ms
            self._usual_ms = usual + (silence_ms - usual) * NEWEST
        self._was_ready = audio_ready

    def _request(self) -> None:
        if self._pause and self._predictor.ask(self._pause):
            self._pause = None
