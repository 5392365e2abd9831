"""Events → exchanges: what was asked and what became of it, told once it is over.

A pure fold. An attempt that was taken back because the user went on is no exchange of its own: it
belongs to the one that took its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from edgevoice import events as ev
from edgevoice.rates import rates
from edgevoice.timings import Timings, TurnTimings

Outcome = Literal["answered", "interrupted", "dropped"]

UNANSWERED = ("no_speech", "backchannel", "stop_command")
"""Why a turn has no answer though nothing failed."""


@dataclass(frozen=True, slots=True)
class FinishedExchange:
    """One that is over. Times are in seconds on the session clock.

    `reason` tells why it was not answered to the end: why it was cancelled, or `empty` where there
    was nothing to be heard. `taken_back` are the times at which earlier attempts were.
    """

    turn: int
    origin: Literal["speech", "text", "talk_key"]
    outcome: Outcome
    reason: str
    started: float
    ended: float
    timings: TurnTimings
    rates: Mapping[str, float | None]
    events: tuple[ev.Event, ...]
    taken_back: tuple[float, ...] = ()


@dataclass(slots=True)
class _Open:
    begun: ev.TurnStarted
    events: list[ev.Event]
    taken_back: tuple[float, ...] = ()
    committed: bool = False
    reason: str = ""


@dataclass(slots=True)
class Exchanges:
    """Folds the events of a session, and of those that follow it on the same bus."""

    _open: dict[int, _Open] = field(default_factory=dict)
    _resumed: dict[int, tuple[float, ...]] = field(default_factory=dict)

    def add(self, event: ev.Event) -> Iterator[FinishedExchange]:
        """Take one more event, in order; gives the exchanges that are over with it."""
        match event:
            case ev.TurnStarted():
                before = event.replaces
                taken_back = () if before is None else self._resumed.get(before, ())
                self._resumed.clear()
                self._open[event.turn] = _Open(event, [event], taken_back)
            case ev.TurnCancelled():
                if one := self._open.get(event.turn):
                    one.reason = event.reason
                    # A committed turn is completed all the same, with what was heard of it.
                    if not one.committed:
                        del self._open[event.turn]
                        if event.reason == "resumed":
                            self._resumed[event.turn] = (*one.taken_back, event.t)
                        else:
                            yield _over(one, event)
            case ev.TurnCompleted():
                if one := self._open.pop(event.turn, None):
                    if event.interrupted:
                        one.reason = one.reason or "interrupted"
                    yield _over(one, event)
            case ev.SessionEnded():
                for one in self._open.values():
                    one.reason = one.reason or "shutdown"
                    yield _over(one, event)
                self._open.clear()
            case _:
                turn = getattr(event, "turn", None)
                if turn is not None and (one := self._open.get(turn)):
                    one.committed = one.committed or isinstance(event, ev.TurnCommitted)
                    one.events.append(event)


def _over(one: _Open, last: ev.Event) -> FinishedExchange:
    fold = Timings()
    for event in one.events:
        fold.add(event)
    timings = fold.current
    assert timings is not None
    played = timings.gap is not None
    outcome: Outcome = "interrupted"
    reason = one.reason
    if not reason:
        outcome, reason = ("answered", "") if played else ("dropped", "empty")
    elif reason in UNANSWERED or (reason == "failed" and not played):
        outcome = "dropped"
    spoken = [event.at for event in one.events if isinstance(event, ev.SpeechStarted)]
    return FinishedExchange(
        turn=one.begun.turn,
        origin=one.begun.origin,
        outcome=outcome,
        reason=reason,
        started=min([one.begun.t, *spoken]),
        ended=last.t,
        timings=timings,
        rates=rates(one.events),
        events=tuple(one.events),
        taken_back=one.taken_back,
    )
