"""The judge: whether the user has finished, by how the last words sounded.

A loop of its own, because the answer is being made meanwhile: the judgement is wanted only when the
first sound of it is there, and whoever asks for it sooner takes a core from what makes that sound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgevoice import events as ev
from edgevoice.audio import Utterance
from edgevoice.floor import Floor
from edgevoice.mailbox import Mailbox
from edgevoice.stages import TurnDetector
from edgevoice.turn import Turn


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause to be judged, with what was said up to it."""

    turn: Turn
    said: Utterance


def pause_is_over(pause: Pause) -> bool:
    """The user went on, or the turn has ended anyway."""
    return pause.turn.cancelled or pause.turn.committed


class Judge:
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
                    self._judge(pause, detector)
                except Exception as error:
                    self._floor.tell_failure("judge", pause.turn, error)
                    return
        finally:
            self._inbox.close()

    def _judge(self, pause: Pause, detector: TurnDetector) -> None:
        began = self._floor.clock.now()
        complete = detector.complete(pause.said.samples)
        self.seconds = self._floor.clock.now() - began
        if not pause_is_over(pause):
            pause.turn.complete = complete
            self._bus.emit(ev.EndJudged(turn=pause.turn.number, complete=round(complete, 3)))
