"""Rings the timers that fall due, until somebody answers."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from edgevoice import events as ev
from edgevoice.context import Announcer
from edgevoice.errors import StorageError
from edgevoice.skills.phrases import Phrases
from edgevoice.skills.sentence_files import languages, sentence_file
from edgevoice.skills.timer_answers import announcement, called
from edgevoice.skills.timers import Timer, Timers

AGAIN = 10.0
"""Seconds from one ring to the next."""
RINGS = {"timer": 18, "alarm": 30, "reminder": 3}
"""How often each kind rings without an answer."""
LATE = 90.0
"""Seconds after which a timer has fallen due while nothing ran: it is announced once."""


class Ringing:
    """Looks for timers that are due; a subscriber of the bus. `wall` is the local time."""

    def __init__(
        self,
        timers: Timers,
        wall: Callable[[], datetime.datetime],
        clock: Callable[[], float],
        language: str,
    ) -> None:
        self._timers = timers
        self._wall = wall
        self._clock = clock
        self._language = language
        self._rings: dict[int, int] = {}
        self._next = 0.0
        self._turns: set[int] = set()
        self._answered = False
        self._shown: tuple[ev.TimerShown, ...] = ()
        self._failed = ""
        self._said: dict[str, Phrases] = {}

    def __call__(self, event: ev.Event) -> None:
        """Somebody who speaks, types or interrupts the ring has noticed it."""
        if isinstance(event, ev.TurnCommitted) and event.turn not in self._turns:
            self._answered = True
        elif isinstance(event, ev.TurnCancelled):
            if event.reason == "stop_command":  # also a moment after the ring
                self._answered = True
            elif event.turn in self._turns:
                self._answered = event.reason in ("barge_in", "interrupted")

    @property
    def rings(self) -> bool:
        """Whether a timer rings, or will again soon."""
        return bool(self._rings)

    def stop(self) -> bool:
        """Stop ringing; false if nothing rings."""
        was, self._answered = self.rings, True
        return was

    def step(self, announcer: Announcer, emit: Callable[[ev.Event], None]) -> None:
        """Ring what is due."""
        try:
            self._step(announcer)
            self._show(emit)
            self._failed = ""
        except StorageError as error:
            if error.what != self._failed:
                emit(ev.Notice(text=error.what))
            self._failed = error.what

    def _step(self, announcer: Announcer) -> None:
        if self._answered:
            self._timers.remove(list(self._rings))
            self._rings, self._answered = {}, False
        due = self._timers.due()
        self._rings = {
            number: count
            for number, count in self._rings.items()
            if number in {timer.number for timer in due}
        }
        new = [timer for timer in due if timer.number not in self._rings]
        if not due or (self._clock() < self._next and not new):
            return
        language, texts, over = self._texts(new or due)
        turn = announcer.announce(" ".join(texts), language)
        if turn is None:
            return
        self._answered = False
        self._turns.add(turn)
        self._next = self._clock() + AGAIN
        for timer in new or due:
            self._rings[timer.number] = self._rings.get(timer.number, 0) + 1
        over += [n for n, rings in self._rings.items() if rings >= RINGS[_kind(n, due)]]
        self._timers.remove(over)
        for number in over:
            self._rings.pop(number, None)

    def _texts(self, due: list[Timer]) -> tuple[str, list[str], list[int]]:
        """The language to speak, what to say, and what is over with it."""
        language = due[0].language if due[0].language in languages() else self._language
        phrases = self._phrases(language)
        now = self._timers.now()
        late = {timer.number for timer in due if now - timer.due > LATE}
        late -= set(self._rings)
        texts = [announcement(t, phrases, self._wall(), t.number in late) for t in due]
        return language, texts, list(late)

    def _phrases(self, language: str) -> Phrases:
        if language not in self._said:
            self._said[language] = Phrases(language, sentence_file(language))
        return self._said[language]

    def _show(self, emit: Callable[[ev.Event], None]) -> None:
        now = self._timers.now()
        shown = tuple(
            ev.TimerShown(
                number=timer.number,
                kind=timer.kind,
                name=_name(timer),
                left=None if timer.left is None else round(timer.left, 1),
                due=round(timer.due, 3),
                rings=timer.number in self._rings or (timer.left is None and timer.due <= now),
            )
            for timer in self._timers.all()
        )
        if shown != self._shown:
            self._shown = shown
            emit(ev.TimersChanged(timers=shown))


def _kind(number: int, due: list[Timer]) -> str:
    return next((timer.kind for timer in due if timer.number == number), "timer")


def _name(timer: Timer) -> str:
    language = timer.language if timer.language in languages() else "en"
    if timer.kind == "timer":
        return called(timer, Phrases(language, sentence_file(language)))
    return timer.text
