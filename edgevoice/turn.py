"""A turn: one question and its reply, with decisions that are made once and never undone.

A turn starts speculative: stages work on it, but nothing of it is played or remembered. It is
committed once, when the end of the question is confirmed, or cancelled once, with a reason. A
committed turn can still be cancelled, for example by a barge-in. A cancelled turn is never
committed. Every stage reads `cancelled` between steps; cancellation is not sent through queues.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

from edgevoice.clock import Monitor
from edgevoice.events import CancelReason

Origin = Literal["speech", "text", "talk_key"]


class Classification(Enum):
    """The kind of words in a turn that may be an interruption."""

    NO_WORDS = "no words"
    """No words: a cough, a door, or text that a recognizer makes up for them."""
    BACKCHANNEL = "backchannel"
    """A listener's signal, for example "mhm": the reply goes on."""
    STOP = "stop"
    """A request for silence, and nothing else."""
    WORDS = "words"


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
        self.classification: Classification | None = None
        """The kind of words so far; written by transcription."""
        self.classified_voiced = 0.0
        """Seconds of voice that the classification covers; written by transcription."""
        self.reason: CancelReason | None = None
        self.detail = ""
        self.committed = False
        self.settled = False
        """The history holds everything that it keeps of this turn."""
        self.forgotten = False
        """A new conversation has begun: the history keeps nothing of this turn."""
        self.requested = False
        """The whole question was sent to transcription; interim requests are obsolete."""
        self.called = False
        """Its audio begins with the wake word; written by capture."""
        self.transcript = ""
        """The newest transcript of the question; written by transcription."""
        self.transcripts = 0
        """Number of transcripts so far; written by transcription."""
        self.accepted_words = 0
        """Number of words that were accepted as speech; written by transcription."""
        self.silent = False
        """The newest frame is silent; written by capture."""
        self.voiced = 0.0
        """Seconds of voice so far; written by capture."""
        self.voiced_end = 0
        """Stream index after the last voiced sample; written by capture."""
        self.question = ""
        """The question; written by transcription and the agent."""
        self.language = "en"
        """Language of the newest transcript; written by transcription."""
        self.synthesizing = False
        """Synthesis of the reply has begun; written by synthesis."""
        self.end_probability: float | None = None
        """Probability that the user has finished; written by the end-of-turn predictor."""
        self.may_end = False
        """The silence has lasted long enough: the first audio of the reply ends the turn; written
        by capture."""
        self.audio_ready = False
        """The first audio of the reply waits to be played; written by playback."""
        self.continued = False
        """The user went on when the reply had hardly begun: it was only half of the question;
        written by capture."""
        self.reply = ""
        """The text generated so far; written by the agent."""
        self.reply_complete = False
        """The model has ended the reply itself; written by the agent."""
        self.continues = False
        """Its reply continues the one before; written by the agent."""
        self.tokens: list[int] = []
        """The ids of the reply's tokens; written by the agent."""
        self.stopped_at: int | None = None
        """Number of samples the speaker had played when the reply was stopped."""
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
        """Let the reply be played; true the first time, false if committed or cancelled before."""
        with self._monitor:
            if self.committed or self.cancelled:
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
