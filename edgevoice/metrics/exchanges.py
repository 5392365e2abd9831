"""Fold events into finished exchanges: a question and its outcome.

A pure fold. An attempt that was dropped because the user went on belongs to the exchange that
replaced it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from edgevoice import events as ev
from edgevoice.rates import rates
from edgevoice.timings import Timings, TurnTimings

ExchangeOutcome = Literal["answered", "interrupted", "dropped"]

UNANSWERED = ("no_speech", "backchannel", "stop_command")
"""Reasons for a turn without a reply and without a failure."""


@dataclass(frozen=True, slots=True)
class FinishedExchange:
    """A finished exchange. Times are session times in seconds.

    `reason` is why it was not answered to the end: the reason of its cancellation, or `empty` if
    no sound was played. `false_starts` are the times at which earlier attempts were dropped.
    """

    turn: int
    origin: Literal["speech", "text", "talk_key", "announcement"]
    outcome: ExchangeOutcome
    reason: str
    started: float
    ended: float
    timings: TurnTimings
    rates: Mapping[str, float | None]
    events: tuple[ev.Event, ...]
    false_starts: tuple[float, ...] = ()


@dataclass(slots=True)
class _Open:
    first: ev.TurnStarted
    events: list[ev.Event]
    false_starts: tuple[float, ...] = ()
    committed: bool = False
    reason: str = ""


@dataclass(slots=True)
class Exchanges:
    """Folds the events of a session, and of further sessions on the same bus."""

    _open: dict[int, _Open] = field(default_factory=dict)
    _resumed: dict[int, tuple[float, ...]] = field(default_factory=dict)

    def add(self, event: ev.Event) -> Iterator[FinishedExchange]:
        """Process the next event; yields the exchanges that it finishes."""
        match event:
            case ev.TurnStarted():
                before = event.replaces
                false_starts = () if before is None else self._resumed.get(before, ())
                self._resumed.clear()
                self._open[event.turn] = _Open(event, [event], false_starts)
            case ev.TurnCancelled():
                if one := self._open.get(event.turn):
                    one.reason = event.reason
                    # A committed turn still completes, with the part that was played.
                    if not one.committed:
                        del self._open[event.turn]
                        if event.reason == "resumed":
                            self._resumed[event.turn] = (*one.false_starts, event.t)
                        else:
                            yield _finished(one, event)
            case ev.TurnCompleted():
                if one := self._open.pop(event.turn, None):
                    if event.interrupted:
                        one.reason = one.reason or "interrupted"
                    yield _finished(one, event)
            case ev.SessionEnded():
                for one in self._open.values():
                    one.reason = one.reason or "shutdown"
                    yield _finished(one, event)
                self._open.clear()
            case _:
                turn = getattr(event, "turn", None)
                if turn is not None and (one := self._open.get(turn)):
                    one.committed = one.committed or isinstance(event, ev.TurnCommitted)
                    one.events.append(event)


def _finished(one: _Open, last: ev.Event) -> FinishedExchange:
    fold = Timings()
    for event in one.events:
        fold.add(event)
    timings = fold.current
    assert timings is not None
    played = timings.response_time is not None
    outcome: ExchangeOutcome = "interrupted"
    reason = one.reason
    if not reason:
        outcome, reason = ("answered", "") if played else ("dropped", "empty")
    elif reason in UNANSWERED or (reason == "failed" and not played):
        outcome = "dropped"
    spoken = [event.at for event in one.events if isinstance(event, ev.SpeechStarted)]
    return FinishedExchange(
        turn=one.first.turn,
        origin=one.first.origin,
        outcome=outcome,
        reason=reason,
        started=min([one.first.t, *spoken]),
        ended=last.t,
        timings=timings,
        rates=rates(one.events),
        events=tuple(one.events),
        false_starts=one.false_starts,
    )
