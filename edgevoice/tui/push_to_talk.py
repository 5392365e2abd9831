"""The talk key of a terminal, which tells only that it was pressed: held down or tapped, told apart
by the presses that a held key repeats."""

from __future__ import annotations

from edgevoice.events import Event, SpeechEnded, TurnCancelled, TurnStarted

REPEAT = 0.15
"""Seconds between two presses that no finger does, but a key that is held down: terminals repeat it
10 to 40 times a second."""

LET_GO = 0.35
"""Seconds without a repetition after which a held key has been let go."""


class PushToTalk:
    """`press` at each press and `tick` many times a second; both return what the key now means:
    True, talk; False, stop talking; None, nothing new. Times are seconds of any clock."""

    def __init__(self) -> None:
        self.on = False
        """Whether the user has the floor."""
        self._held = False
        self._pressed = 0.0
        self._second: float | None = None
        """When it was pressed again, as long as it may be the first repetition."""
        self._turn: int | None = None
        """The turn that a talk key, this one or another, has begun."""

    def press(self, now: float) -> bool | None:
        if not self.on:
            self._held, self._second = False, None
            return self._switch(True)
        if self._second is not None and now - self._second <= REPEAT:
            self._held, self._second = True, None
        elif not self._held:
            self._second = now
        self._pressed = now
        return None

    def tick(self, now: float) -> bool | None:
        if not self.on:
            return None
        tapped = self._second is not None and now - self._second > REPEAT
        let_go = self._held and now - self._pressed > LET_GO
        return self._switch(False) if tapped or let_go else None

    def hear(self, event: Event) -> None:
        """The floor may also be taken or given back by something else."""
        if isinstance(event, TurnStarted) and event.origin == "talk_key":
            self._turn = event.turn
            self._switch(True)
        elif isinstance(event, SpeechEnded | TurnCancelled) and event.turn == self._turn:
            self._turn = None
            self._switch(False)

    def _switch(self, on: bool) -> bool:
        if on != self.on:
            self.on, self._held, self._second = on, False, None
        return on
