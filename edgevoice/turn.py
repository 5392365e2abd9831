"""A Turn: one exchange, with verdicts that are given once and never taken back.

It starts speculative: work on it may begin, but nothing of it is heard or remembered. It is
committed once, when the end of the question is confirmed, or cancelled once with a reason. A
committed turn can still be cancelled, by a barge-in say; a cancelled one can never be committed.
Everyone who works on a turn asks `cancelled` between steps; nobody is told through a queue.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

from edgevoice.clock import Monitor
from edgevoice.events import CancelReason

Origin = Literal["speech", "text", "talk_key"]


class Classification(Enum):
    """What the words of a turn come to that may be an interruption."""

    NOBODY = "nobody"
    """No words: a cough, a door, what a recognizer makes up for them."""
    BACKCHANNEL = "backchannel"
    """Somebody listens, and wants the reply to go on."""
    STOP = "stop"
    """Silence is asked for, and nothing else."""
    WORDS = "words"


class Turn:
    """One exchange. Verdicts wake everyone who waits on the shared `monitor`."""

    def __init__(
        self, number: int, origin: Origin, monitor: Monitor, interrupts: Turn | None = None
    ) -> None:
        self.number = number
        self.origin = origin
        self.interrupts = interrupts
        """The turn whose reply was being made or heard when this one began, if it was speech."""
        self.doubted = interrupts is not None
        """Whether it is an interruption at all is yet to be heard: that reply waits for it."""
        self.successor: Turn | None = None
        """The turn that replaced it, when the user went on after a pause."""
        self.ended = False
        """The end of the question was confirmed, though perhaps while it was still doubted."""
        self.classification: Classification | None = None
        """What has been said so far comes to; written by the scribe."""
        self.sensed = 0.0
        """Seconds of voice in it when that was known; written by the scribe."""
        self.reason: CancelReason | None = None
        self.detail = ""
        self.committed = False
        self.settled = False
        """What is to be remembered of it has been remembered."""
        self.forgotten = False
        """The user began a new conversation: nothing of it is to be remembered."""
        self.asked = False
        """The question was handed over whole; live looks at it are of no use any more."""
        self.called = False
        """Its sound begins with the wake word; written by the ears."""
        self.reading = ""
        """What is being asked, as read last; written by the scribe."""
        self.readings = 0
        """How often what was said was read so far; written by the scribe."""
        self.understood = 0
        """Words of it that were believed; written by the scribe."""
        self.hushed = False
        """The voice has stopped, perhaps for good; written by the ears."""
        self.voiced = 0.0
        """Seconds of voice in it so far; written by the ears."""
        self.voiced_end = 0
        """Stream index after the last sample that was voice; written by the ears."""
        self.question = ""
        """What was asked; written by the scribe."""
        self.language = "en"
        """The language it is asked in, as read last; written by the scribe."""
        self.voicing = False
        """The first of the reply is being made sound; written by the voice."""
        self.complete: float | None = None
        """Probability that the user has finished, from how it sounds; written by the judge."""
        self.conceded = False
        """The silence has lasted as long as it must: the first sound ends the wait; written by the
        ears."""
        self.sounding = False
        """The first sound of the reply waits to be let out; written by the speaker."""
        self.continued = False
        """The user went on when its answer had hardly begun: it was only half of the question;
        written by the ears."""
        self.reply = ""
        """What the model has written so far, as it wrote it; written by the mind."""
        self.written = False
        """The model had nothing to add to it; written by the mind."""
        self.goes_on = False
        """Its reply goes on with the one before; written by the mind."""
        self.tokens: list[int] = []
        """The ids of the reply's tokens; written by the mind."""
        self.stopped_at: int | None = None
        """How many samples the speaker had let out when the turn was silenced."""
        self._monitor = monitor

    @property
    def cancelled(self) -> bool:
        return self.reason is not None

    @property
    def live(self) -> bool:
        """Whether there is still work to do on it."""
        return not self.cancelled and not self.settled

    def is_cancelled(self) -> bool:
        """The same as `cancelled`, as a function to hand to an engine."""
        return self.cancelled

    def commit(self) -> bool:
        """Confirm the turn; true the first time, false if it was committed or cancelled before."""
        with self._monitor:
            if self.committed or self.cancelled:
                return False
            self.committed = True
            self._monitor.notify_all()
            return True

    def confirm(self) -> bool:
        """It is an interruption; true the first time, false if that was known or it is over."""
        with self._monitor:
            if not self.doubted or not self.live:
                return False
            self.doubted = False
            self._monitor.notify_all()
            return True

    def cancel(self, reason: CancelReason, detail: str = "") -> bool:
        """End the turn; true the first time, false if it was cancelled or settled before."""
        with self._monitor:
            if not self.live:
                return False
            self.reason, self.detail = reason, detail
            self._monitor.notify_all()
            return True

    def settle(self) -> bool:
        """Note that everything about it is done; true the first time."""
        with self._monitor:
            if self.settled:
                return False
            self.settled = True
            self._monitor.notify_all()
            return True
