"""The current turns: those that are not settled yet, oldest first."""

from __future__ import annotations

from collections.abc import Iterator

from edgevoice.clock import Monitor
from edgevoice.turn import Origin, Turn


class CurrentTurns:
    """Numbers the turns of one session, and lists those that are not settled.

    All methods may be called from any thread.
    """

    def __init__(self, monitor: Monitor, first_turn: int = 0, answered: int = 0) -> None:
        self.next_turn = first_turn
        """Number of the next turn."""
        self.answered = answered
        """How many turns were answered audibly."""
        self._monitor = monitor
        self._turns: list[Turn] = []

    def __iter__(self) -> Iterator[Turn]:
        with self._monitor:
            return iter(list(self._turns))

    def __len__(self) -> int:
        return len(self._turns)

    def begin(self, origin: Origin, replaces: Turn | None, interrupts: Turn | None) -> Turn:
        """A new speculative turn."""
        with self._monitor:
            turn = Turn(self.next_turn, origin, self._monitor, interrupts)
            if replaces:
                turn.replace(replaces)
            self.next_turn += 1
            self._turns.append(turn)
            return turn

    def count_answered(self) -> int:
        """Count one more turn that was answered audibly; returns its number, from 1."""
        with self._monitor:
            self.answered += 1
            return self.answered

    def settle(self, turn: Turn) -> None:
        """Finish a turn, and drop it from the list."""
        turn.settle()
        with self._monitor:
            self._turns = [t for t in self._turns if t is not turn]

    @property
    def reply(self) -> Turn | None:
        """The newest turn whose reply is generated or played."""
        return next((t for t in reversed(list(self)) if t.committed and t.live), None)

    @property
    def answering(self) -> bool:
        """Whether a reply is being generated or played."""
        return any(t.committed and t.live for t in self)

    def waits_for_earlier(self, turn: Turn) -> bool:
        """Whether an earlier committed turn is not settled, so that the history is incomplete."""
        return any(t.committed and t.number < turn.number for t in self)

    def wait_for_earlier(self, turn: Turn) -> None:
        """Wait until every earlier committed turn is settled, and the history complete."""
        with self._monitor:
            self._monitor.wait_for(lambda: turn.cancelled or not self.waits_for_earlier(turn))
