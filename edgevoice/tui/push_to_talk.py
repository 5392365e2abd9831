"""Tell a held talk key from a tapped one.

A terminal reports only presses. A held key repeats them.
"""

from __future__ import annotations

from edgevoice.events import Event, SpeechEnded, TurnCancelled, TurnStarted

MAX_REPEAT_INTERVAL = 0.15
"""Most seconds between two presses of a held key: terminals repeat them 10 to 40 times a second,
faster than a finger can."""

RELEASED_AFTER = 0.35
"""Seconds without a repetition after which a held key counts as released."""


class PushToTalk:
    """Call `press` at each press, and `tick` many times a second, with seconds of any clock.

    Both return True to start talking, False to stop, and None for no change.
    """

    def __init__(self) -> None:
        self.on = False
        """Whether push-to-talk is on."""
        self._held = False
        self._pressed = 0.0
        self._second: float | None = None
        """Time of the second press, while it may be the first repetition."""
        self._turn: int | None = None
        """The turn that was started by a talk key, this one or another."""

    def press(self, now: float) -> bool | None:
        if not self.on:
            self._held, self._second = False, None
            return self._switch(True)
        if self._second is not None and now - self._second <= MAX_REPEAT_INTERVAL:
            self._held, self._second = True, None
        elif not self._held:
            self._second = now
        self._pressed = now
        return None

    def tick(self, now: float) -> bool | None:
        if not self.on:
            return None
        tapped = self._second is not None and now - self._second > MAX_REPEAT_INTERVAL
        released = self._held and now - self._pressed > RELEASED_AFTER
        return self._switch(False) if tapped or released else None

    def on_event(self, event: Event) -> None:
        """Follow push-to-talk that is switched elsewhere, for example by `edgevoice ptt`."""
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
