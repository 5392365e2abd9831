"""The floor: who may speak. It carries out every decision about a turn, and reports it.

Decisions come from capture (end of the question, barge-in), transcription (no speech), failed
stages and the user's keys. All of them call the floor; every stage sees the result at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgevoice import events as ev
from edgevoice.bus import Bus
from edgevoice.clock import Clock
from edgevoice.history import History
from edgevoice.player import Player
from edgevoice.protocols import ChatMessage
from edgevoice.turn import Origin, Turn
from edgevoice.turn_taking.current_turns import CurrentTurns
from edgevoice.turn_taking.playback_control import PlaybackControl
from edgevoice.turn_taking.remembering import HistoryWriter


class Floor:
    """The decisions about the turns of one session. All methods may be called from any thread."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        sink: Player,
        history: History,
        turns: tuple[int, int] = (0, 0),
    ) -> None:
        """`turns`: the number of the next turn, and how many were answered."""
        self.monitor = clock.monitor()
        self.turns = CurrentTurns(self.monitor, *turns)
        self.playback = PlaybackControl(clock, bus, self.monitor, sink, self.turns)
        self._bus = bus
        self._history = history
        self._writer = HistoryWriter(self.monitor, history)

    def begin(
        self, origin: Origin, replaces: Turn | None = None, interrupts: Turn | None = None
    ) -> Turn:
        """A new speculative turn; with `interrupts` it is tentative until `confirm`."""
        interrupts = replaces.interrupts if replaces else interrupts
        if replaces is None:
            with self.monitor:
                self._history.begin_question()
        turn = self.turns.begin(origin, replaces, interrupts)
        self._bus.emit(
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
        if not turn.commit():
            return False
        self._bus.emit(ev.TurnCommitted(turn=turn.number))
        return True

    def confirm(self, turn: Turn) -> bool:
        """`turn` is an interruption: end the reply. False if that is known already.

        A late decision about a turn applies to the turn that has replaced it.
        """
        while turn.successor is not None:
            turn = turn.successor
        if not turn.confirm():
            return False
        self.cancel_others(turn, "barge_in")
        self.playback.release()
        if turn.ended:
            self.commit(turn)
        return True

    def cancel(self, turn: Turn, reason: ev.CancelReason, detail: str = "") -> bool:
        """Cancel a turn and stop its playback; false if it is over already."""
        if not turn.cancel(reason, detail):
            return False
        if turn.committed:
            turn.stopped_at = self.playback.stop()
        self._bus.emit(ev.TurnCancelled(turn=turn.number, reason=reason, detail=detail))
        if not turn.committed:
            # It was never played, so that playback does not wait for it.
            self.turns.settle(turn)
        if turn.tentative and reason != "resumed":
            self.playback.resume(turn)
        return True

    def cancel_others(self, turn: Turn | None, reason: ev.CancelReason) -> None:
        """Cancel every turn except `turn`."""
        for other in self.turns:
            if other is not turn:
                self.cancel(other, reason)

    def settle(self, turn: Turn, played: int) -> None:
        """Finish a turn; the first `played` characters of its reply were played."""
        if turn.settled:
            return
        if turn.committed:
            interrupted = turn.cancelled
            heard = self._writer.write(turn, played, interrupted)
            # Before the event: who answers it with a question must not interrupt this turn.
            turn.settle()
            self._bus.emit(ev.TurnCompleted(turn=turn.number, heard=heard, interrupted=interrupted))
            # Otherwise a chain of interruptions would keep every turn in memory.
            turn.interrupts = None
        self.turns.settle(turn)

    def clear(self, past: Sequence[ChatMessage] = ()) -> None:
        """Begin a new conversation: drop the history and the current turns, and start from
        `past`."""
        with self.monitor:
            for turn in self.turns:
                turn.forget()
            self._history.clear(past)
        self.cancel_others(None, "interrupted")
        self._bus.emit(ev.ConversationCleared())
