"""A turn: one question and its reply, with decisions that are made once and never undone.

A turn starts speculative: stages work on it, but nothing of it is played or remembered. It is
committed once, when the end of the question is confirmed, or cancelled once, with a reason. A
committed turn can still be cancelled, for example by a barge-in. A cancelled turn is never
committed. Every stage reads `cancelled` between steps; cancellation is not sent through queues.
What the stages learn about the turn is in the record of each (turn_records.py).
"""

from __future__ import annotations

from typing import Literal

from edgevoice.clock import Monitor
from edgevoice.events import CancelReason
from edgevoice.turn_records import (
    PlaybackRecord,
    ReplyRecord,
    SpeechRecord,
    SynthesisRecord,
    TranscriptionRecord,
)

Origin = Literal["speech", "text", "talk_key", "announcement"]


class Turn:
    """One question and its reply. Each decision wakes the threads that wait on `monitor`."""

    def __init__(
        self, number: int, origin: Origin, monitor: Monitor, interrupts: Turn | None = None
    ) -> None:
        self.number = number
        self.origin = origin
        self.interrupts = interrupts
        """The turn whose reply was generated or played when this one began, if it is speech."""
        self.tentative = interrupts is not None
        """Not yet known to be an interruption; the reply it may interrupt is kept until then."""
        self.successor: Turn | None = None
        """The turn that replaced it, when the user went on after a pause."""
        self.ended = False
        """The end of the question was confirmed, perhaps while it was still tentative."""
        self.reason: CancelReason | None = None
        self.detail = ""
        self.stopped_at: int | None = None
        """Number of samples the speaker had played when the turn was cancelled."""
        self.committed = False
        self.settled = False
        """The history holds everything that it keeps of this turn."""
        self.forgotten = False
        """A new conversation has begun: the history keeps nothing of this turn."""
        self.speech = SpeechRecord()
        self.transcription = TranscriptionRecord()
        self.reply = ReplyRecord()
        self.synthesis = SynthesisRecord()
        self.playback = PlaybackRecord()
        self._monitor = monitor

    @property
    def question(self) -> str:
        """The question as it stands in the prompt, else its final transcript; empty until then."""
        return self.reply.question or self.transcription.question

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

    def is_committed(self) -> bool:
        """The same as `committed`, as a function to hand to an agent."""
        return self.committed

    def commit(self) -> bool:
        """Let the reply be played; true the first time.

        False if it was committed or cancelled before. Of a tentative turn only the end is noted.
        """
        with self._monitor:
            self.ended = True
            if self.tentative or self.committed or self.cancelled:
                return False
            self.committed = True
            self._monitor.notify_all()
            return True

    def confirm(self) -> bool:
        """Mark it as an interruption; true the first time, false if known already or over."""
        with self._monitor:
            if not self.tentative or not self.live:
                return False
            self.tentative = False
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
        """Mark it as finished; true the first time."""
        with self._monitor:
            if self.settled:
                return False
            self.settled = True
            self._monitor.notify_all()
            return True

    def replace(self, earlier: Turn) -> None:
        """Continue `earlier`: what is known of it as an interruption holds here, too."""
        with self._monitor:
            earlier.successor = self
            self.tentative = earlier.tentative
            known = earlier.transcription
            self.transcription = TranscriptionRecord(
                classification=known.classification, classified_voiced=known.classified_voiced
            )

    def forget(self) -> None:
        """Let the history keep nothing of it."""
        self.forgotten = True
