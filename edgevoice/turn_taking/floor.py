"""The floor: the current turns, the decisions about them, and the history they leave.

Decisions come from capture (end of the question, barge-in), transcription (no speech), failed
stages and the user's keys. All of them call the floor; every stage sees the result at once. A turn
enters the history when it is settled, with the part of its reply that was played.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgevoice import events as ev
from edgevoice.bus import Bus
from edgevoice.clock import Clock
from edgevoice.errors import EdgevoiceError
from edgevoice.history import History, Reply
from edgevoice.languages.unspoken import without
from edgevoice.protocols import AudioSink, ChatMessage
from edgevoice.turn import Origin, Turn
from edgevoice.turn_taking.earcons import Kind

HARDLY = 3
"""Most words of a reply to half a question that the history drops: they were played while the user
was already going on."""


SEAMLESS = 0.15
"""Longest pause in seconds after which a reply resumes within a word; some speech sounds are
longer."""

LONGEST_WORD = 0.8
"""Most seconds of a reply that are played twice."""


class Floor:
    """The turns of one session. All methods may be called from any thread."""

    def __init__(
        self, clock: Clock, bus: Bus, sink: AudioSink, history: History, first_turn: int = 0
    ) -> None:
        self.clock = clock
        self.bus = bus
        self.monitor = clock.monitor()
        self.history = history
        self._sink = sink
        self.word_start: Callable[[int], int] = lambda number: number
        """First sample of the word that a sample is in; never blocks. Set by playback."""
        self._paused: tuple[int, float] | None = None
        """The first sample that is not played yet, and the time of the pause."""
        self._ducked = False
        self._turns: list[Turn] = []
        self.next_turn = first_turn
        self.play_earcon: Callable[[Kind], None] = lambda kind: None
        """Plays a sound that is not part of a reply; never blocks."""

    def begin(
        self, origin: Origin, replaces: Turn | None = None, interrupts: Turn | None = None
    ) -> Turn:
        """A new speculative turn; with `interrupts` it is tentative until `confirm`."""
        with self.monitor:
            interrupts = replaces.interrupts if replaces else interrupts
            turn = Turn(self.next_turn, origin, self.monitor, interrupts)
            if replaces:
                replaces.successor = turn
                turn.tentative = replaces.tentative
                turn.classification, turn.classified_voiced = (
                    replaces.classification,
                    replaces.classified_voiced,
                )
            self.next_turn += 1
            self._turns.append(turn)
        self.bus.emit(
            ev.TurnStarted(
                turn=turn.number,
                origin=origin,
                replaces=replaces.number if replaces else None,
                interrupts=interrupts.number if interrupts else None,
            )
        )
        return turn

    def commit(self, turn: Turn) -> bool:
        """Let the reply be played and remembered; false if the turn is over or still tentative."""
        with self.monitor:
            turn.ended = True
            if turn.tentative or not turn.commit():
                return False
        self.bus.emit(ev.TurnCommitted(turn=turn.number))
        return True

    def cancel(self, turn: Turn, reason: ev.CancelReason, detail: str = "") -> bool:
        """Cancel a turn and stop its playback; false if it is over already."""
        if not turn.cancel(reason, detail):
            return False
        if turn.committed:
            stopped = self._sink.stop()
            if turn.stopped_at is None:
                turn.stopped_at = stopped
        self.bus.emit(ev.TurnCancelled(turn=turn.number, reason=reason, detail=detail))
        if not turn.committed:
            # It was never played, so that playback does not wait for it.
            self._forget(turn)
        if turn.tentative and reason != "resumed":
            self._resume_reply(turn.interrupts)
        return True

    def cancel_others(self, turn: Turn | None, reason: ev.CancelReason) -> None:
        """Cancel every turn except `turn`."""
        for other in self.turns():
            if other is not turn:
                self.cancel(other, reason)

    @property
    def reply(self) -> Turn | None:
        """The newest turn whose reply is generated or played."""
        return next((t for t in reversed(self.turns()) if t.committed and t.live), None)

    def duck(self, on: bool) -> None:
        """Play the reply more quietly, or as loudly as before."""
        with self.monitor:
            reply = self.reply
            if on == self._ducked or (on and reply is None):
                return
            self._ducked = on
            self._sink.duck(on)
        if reply is None:
            return
        if on:
            self.bus.emit(ev.PlaybackDucked(turn=reply.number))
        else:
            self.bus.emit(ev.PlaybackResumed(turn=reply.number, held=False))

    def pause(self, turn: Turn) -> None:
        """Pause the reply that `turn` may interrupt, until it is confirmed or cancelled."""
        with self.monitor:
            reply = turn.interrupts
            if reply is None or self._paused or not (turn.tentative and turn.live and reply.live):
                return
            number = self._sink.pause()
            self._paused = number, self.clock.now()
            at = self._sink.time_of(number)
        at = max(at, self.clock.now())
        self.bus.emit(ev.PlaybackPaused(turn=reply.number, by=turn.number, at=at))

    def confirm(self, turn: Turn) -> bool:
        """`turn` is an interruption: end the reply. False if that is known already.

        A late decision about a turn applies to the turn that has replaced it.
        """
        while turn.successor is not None:
            turn = turn.successor
        if not turn.confirm():
            return False
        self.cancel_others(turn, "barge_in")
        self._resume_sink()
        if turn.ended:
            self.commit(turn)
        return True

    def resume(self, turn: Turn) -> None:
        """Resume the reply, though `turn` may still be confirmed."""
        self._resume_reply(turn.interrupts)

    def _resume_reply(self, reply: Turn | None) -> None:
        """Resume the reply if it is still live: it was not interrupted."""
        paused, ducked = self._resume_sink()
        if reply is not None and reply.live and (paused or ducked):
            self.bus.emit(ev.PlaybackResumed(turn=reply.number, held=paused))

    def _resume_sink(self) -> tuple[bool, bool]:
        """Resume the speaker; returns whether it was paused, and whether it was ducked."""
        with self.monitor:
            paused, ducked = self._paused, self._ducked
            self._paused, self._ducked = None, False
            self._sink.duck(False)
            self._sink.resume(0 if paused is None else self._samples_to_repeat(*paused))
        return paused is not None, ducked

    def _samples_to_repeat(self, number: int, since: float) -> int:
        """How many samples before `number` to repeat, so that a word is played whole."""
        if self.clock.now() - since < SEAMLESS:
            return 0
        again = number - self.word_start(number)
        return again if 0 < again <= LONGEST_WORD * self._sink.rate else 0

    def fail(self, stage: ev.Stage, turn: Turn | None, error: Exception) -> None:
        """Report that a stage failed, and cancel the turn it failed in, if any."""
        what = self.report_failure(stage, turn, error)
        if turn is not None:
            self.cancel(turn, "failed", what)

    def report_failure(self, stage: ev.Stage, turn: Turn | None, error: Exception) -> str:
        """Report that a stage failed; returns the message."""
        if isinstance(error, EdgevoiceError):
            what, remedy = error.what, error.remedy
        else:
            what = f"{type(error).__name__}: {error}"
            remedy = "run with --debug and report what it prints"
        number = turn.number if turn else None
        self.bus.emit(ev.StageFailed(stage=stage, turn=number, what=what, remedy=remedy))
        self.play_earcon("failed")
        return what

    def settle(self, turn: Turn, played: int) -> None:
        """Finish a committed turn; the first `played` characters of its reply were played."""
        if turn.settled:
            return
        if not turn.committed:
            self._forget(turn)
            return
        interrupted = turn.cancelled
        reply = turn.reply[:played].rstrip() if interrupted else turn.reply
        if interrupted and turn.continued and len(reply.split()) <= HARDLY:
            # It answered half a question; the whole one follows.
            reply = ""
        with self.monitor:
            if turn.question and not turn.forgotten:
                self._remember(turn, reply)
        self.bus.emit(
            ev.TurnCompleted(
                turn=turn.number, heard=without(reply).strip(), interrupted=interrupted
            )
        )
        # Otherwise a chain of interruptions would keep every turn in memory.
        turn.interrupts = None
        self._forget(turn)

    def _remember(self, turn: Turn, played: str) -> None:
        unplayed = turn.reply[len(played) :]
        missing = bool(unplayed.strip()) or not turn.reply_complete
        broken_off = turn.cancelled and missing
        reply = Reply(
            without(played), unplayed, tuple(turn.tokens), broken_off, turn.reply_complete
        )
        if turn.continues:
            self.history.extend(reply)
        else:
            self.history.remember(turn.question, reply, turn.language)

    def clear(self, past: Sequence[ChatMessage] = ()) -> None:
        """Begin a new conversation: drop the history and the current turns, and start from
        `past`."""
        with self.monitor:
            for turn in self._turns:
                turn.forgotten = True
            self.history.clear(past)
        self.cancel_others(None, "interrupted")
        self.bus.emit(ev.ConversationCleared())

    def _forget(self, turn: Turn) -> None:
        turn.settle()
        with self.monitor:
            self._turns = [t for t in self._turns if t is not turn]

    def turns(self) -> list[Turn]:
        """The turns that are not settled, oldest first."""
        with self.monitor:
            return list(self._turns)

    @property
    def answering(self) -> bool:
        """Whether a reply is being generated or played."""
        return any(t.committed and t.live for t in self.turns())

    def waits_for_earlier(self, turn: Turn) -> bool:
        """Whether an earlier committed turn is not settled, so that the history is incomplete."""
        return any(t.committed and t.number < turn.number for t in self.turns())

    def wait_for_earlier(self, turn: Turn) -> None:
        """Wait until every earlier committed turn is settled, and the history complete."""
        with self.monitor:
            self.monitor.wait_for(lambda: turn.cancelled or not self.waits_for_earlier(turn))
