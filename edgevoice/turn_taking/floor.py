"""Who has the floor: the turns under way, their verdicts, and the conversation they leave behind.

Verdicts come from the ears (end of question, barge-in), the mind (nobody spoke, an engine failed)
and the user's keys; whoever gives one calls here, and everyone else sees it at once. Nothing of a
turn passes into the history before it is settled, and then only what was heard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgevoice import events as ev
from edgevoice.bus import Bus
from edgevoice.clock import Clock
from edgevoice.errors import EdgevoiceError
from edgevoice.history import History, Reply
from edgevoice.protocols import AudioSink, ChatMessage
from edgevoice.turn import Origin, Turn
from edgevoice.turn_taking.earcons import Kind

HARDLY = 3
"""Words of an answer to half a question that are as good as unheard: they were still coming while
the user was going on."""


SEAMLESS = 0.15
"""Seconds of pause after which a reply goes on in mid-word: shorter than some sounds of speech."""

LONGEST_WORD = 0.8
"""Seconds that are heard again at most."""


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
        """Where the word begins that a sample of the speaker is in; never waits."""
        self._paused: tuple[int, float] | None = None
        """The first sample that is kept back, and since when."""
        self._ducked = False
        self._turns: list[Turn] = []
        self.next_turn = first_turn
        self.play_earcon: Callable[[Kind], None] = lambda kind: None
        """Sounds something that is no part of a reply; never waits."""

    def begin(
        self, origin: Origin, replaces: Turn | None = None, interrupts: Turn | None = None
    ) -> Turn:
        """A new speculative turn; with `interrupts` it is doubted until `confirm`."""
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
        """Let the reply be heard and remembered; false if the turn is over already, or waits to be
        confirmed."""
        with self.monitor:
            turn.ended = True
            if turn.tentative or not turn.commit():
                return False
        self.bus.emit(ev.TurnCommitted(turn=turn.number))
        return True

    def cancel(self, turn: Turn, reason: ev.CancelReason, detail: str = "") -> bool:
        """End a turn and, if it was being heard, the sound; false if it is over already."""
        if not turn.cancel(reason, detail):
            return False
        if turn.committed:
            stopped = self._sink.stop()
            if turn.stopped_at is None:
                turn.stopped_at = stopped
        self.bus.emit(ev.TurnCancelled(turn=turn.number, reason=reason, detail=detail))
        if not turn.committed:
            # Nothing of it was heard or will be remembered: there is nothing left to wait for.
            self._forget(turn)
        if turn.tentative and reason != "resumed":
            self._resume_reply(turn.interrupts)
        return True

    def cancel_others(self, turn: Turn | None, reason: ev.CancelReason) -> None:
        """End every turn but `turn`."""
        for other in self.turns():
            if other is not turn:
                self.cancel(other, reason)

    @property
    def reply(self) -> Turn | None:
        """The newest turn that is being answered."""
        return next((t for t in reversed(self.turns()) if t.committed and t.live), None)

    def duck(self, on: bool) -> None:
        """Make the reply quieter, for somebody may be speaking, or as loud as before."""
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
        """`turn` is an interruption: the reply will not go on. False where there is no doubt.

        What was known too late of a turn is true of the one that has replaced it.
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
        """Let the reply go on, though `turn` may yet be confirmed."""
        self._resume_reply(turn.interrupts)

    def _resume_reply(self, reply: Turn | None) -> None:
        """Let the reply go on, if it is still there: it was not interrupted."""
        paused, ducked = self._resume_sink()
        if reply is not None and reply.live and (paused or ducked):
            self.bus.emit(ev.PlaybackResumed(turn=reply.number, held=paused))

    def _resume_sink(self) -> tuple[bool, bool]:
        """Let the speaker go on as it did; whether it was held, and whether it was quieter."""
        with self.monitor:
            paused, ducked = self._paused, self._ducked
            self._paused, self._ducked = None, False
            self._sink.duck(False)
            self._sink.resume(0 if paused is None else self._samples_to_repeat(*paused))
        return paused is not None, ducked

    def _samples_to_repeat(self, number: int, since: float) -> int:
        """How many samples before `number` are to be heard again: after a pause of any length, half
        a word is none."""
        if self.clock.now() - since < SEAMLESS:
            return 0
        again = number - self.word_start(number)
        return again if 0 < again <= LONGEST_WORD * self._sink.rate else 0

    def fail(self, stage: ev.Stage, turn: Turn | None, error: Exception) -> None:
        """Tell that a stage failed, and end the turn that it failed in, if any."""
        what = self.report_failure(stage, turn, error)
        if turn is not None:
            self.cancel(turn, "failed", what)

    def report_failure(self, stage: ev.Stage, turn: Turn | None, error: Exception) -> str:
        """Tell that a stage failed; returns what failed."""
        if isinstance(error, EdgevoiceError):
            what, remedy = error.what, error.remedy
        else:
            what = f"{type(error).__name__}: {error}"
            remedy = "run with --debug and report what it prints"
        number = turn.number if turn else None
        self.bus.emit(ev.StageFailed(stage=stage, turn=number, what=what, remedy=remedy))
        self.play_earcon("failed")
        return what

    def settle(self, turn: Turn, heard: int) -> None:
        """Close a committed turn of which the first `heard` characters of the reply were heard."""
        if turn.settled:
            return
        if not turn.committed:
            self._forget(turn)
            return
        interrupted = turn.cancelled
        reply = turn.reply[:heard].rstrip() if interrupted else turn.reply
        if interrupted and turn.continued and len(reply.split()) <= HARDLY:
            # It answered half a question, which is now asked whole.
            reply = ""
        with self.monitor:
            if turn.question and not turn.forgotten:
                self._remember(turn, reply)
        self.bus.emit(
            ev.TurnCompleted(turn=turn.number, heard=reply.strip(), interrupted=interrupted)
        )
        # A turn that interrupts each before it would keep all of them in memory.
        turn.interrupts = None
        self._forget(turn)

    def _remember(self, turn: Turn, heard: str) -> None:
        unheard = turn.reply[len(heard) :]
        missing = bool(unheard.strip()) or not turn.written
        broken_off = turn.cancelled and missing
        reply = Reply(heard, unheard, tuple(turn.tokens), broken_off, turn.written)
        if turn.continues:
            self.history.extend(reply)
        else:
            self.history.remember(turn.question, reply, turn.language)

    def clear(self, past: Sequence[ChatMessage] = ()) -> None:
        """Begin a new conversation: nothing said so far, or being said now, is remembered, but
        `past` is, as if it had been said."""
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
        """Whether a reply is being thought of or heard."""
        return any(t.committed and t.live for t in self.turns())

    def waits_for_earlier(self, turn: Turn) -> bool:
        """Whether a committed turn before `turn` is not settled, and history so not complete."""
        return any(t.committed and t.number < turn.number for t in self.turns())

    def wait_for_earlier(self, turn: Turn) -> None:
        """Wait until every committed turn before `turn` is settled, so that history is complete."""
        with self.monitor:
            self.monitor.wait_for(lambda: turn.cancelled or not self.waits_for_earlier(turn))
