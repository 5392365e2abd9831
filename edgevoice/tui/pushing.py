"""The talk key of a terminal, which tells only that it was pressed: held down or tapped, told apart
by the presses that a held key repeats."""

from __future__ import annotations

REPEAT = 0.15
"""Seconds between two presses that no finger does, but a key that is held down: terminals repeat it
10 to 40 times a second."""

LET_GO = 0.35
"""Seconds without a repetition after which a held key has been let go."""


class Pushing:
    """`press` at each press and `tick` many times a second; both return what the key now means:
    True, talk; False, stop talking; None, nothing new. Times are seconds of any clock."""

    def __init__(self) -> None:
        self.on = False
        """Whether the user has the floor."""
        self._held = False
        self._pressed = 0.0
        self._second: float | None = None
        """When it was pressed again, as long as it may be the first repetition."""

    def press(self, now: float) -> bool | None:
        if not self.on:
            self._held, self._second = False, None
            return self._turn(True)
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
        return self._turn(False) if tapped or let_go else None

    def follow(self, on: bool) -> None:
        """The floor was taken or given back by something else."""
        if on != self.on:
            self.on, self._held, self._second = on, False, None

    def _turn(self, on: bool) -> bool:
        self.follow(on)
        return on
