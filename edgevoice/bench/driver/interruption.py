"""A reply that is interrupted by another question, by its events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgevoice import events as ev
from edgevoice.bench.result.result import BenchTurn
from edgevoice.bench.result.soak_record import InterruptionOutcome, SoakInterruption

NOTICE = 1.0
"""Seconds after the first voiced sample of an interruption in which a reply may end by itself;
later it should have been stopped."""


@dataclass(frozen=True, slots=True)
class InterruptedExchange:
    """A question, or two, of which the second interrupted the first one's reply."""

    turns: tuple[BenchTurn, ...]
    interruption: SoakInterruption | None = None


def heard_for(events: Sequence[ev.Event], now: float) -> float | None:
    """Seconds for which a reply was audible at session time `now`; None: no reply is."""
    began: float | None = None
    for event in events:
        if isinstance(event, ev.PlaybackStarted) and began is None:
            began = event.audible_at
        elif isinstance(event, ev.TurnCompleted | ev.PlaybackEnded):
            began = None
    return None if began is None or now < began else now - began


def parted(events: Sequence[ev.Event], at: float) -> tuple[list[ev.Event], list[ev.Event]]:
    """The events of the turns that began before session time `at`, and all others."""
    earlier = {e.turn for e in events if isinstance(e, ev.TurnStarted) and e.t < at}
    first: list[ev.Event] = []
    second: list[ev.Event] = []
    for event in events:
        turn = getattr(event, "turn", None)
        before = event.t < at if turn is None else turn in earlier
        (first if before else second).append(event)
    return first, second


def became(
    first: Sequence[ev.Event],
    second: Sequence[ev.Event],
    at: float,
    turns: tuple[BenchTurn, BenchTurn],
) -> SoakInterruption:
    """The outcome of the reply in `first`, interrupted by the events `second` from time `at` on."""
    voices = [e.at for e in second if isinstance(e, ev.SpeechStarted)]
    voice = voices[0] if voices else at
    outcome: InterruptionOutcome = "missed"
    silent_after: float | None = None
    for event in first:
        if isinstance(event, ev.TurnCompleted) and event.interrupted:
            outcome = "stopped"
        elif isinstance(event, ev.TurnCompleted):
            outcome = "late" if event.t - voice <= NOTICE else "missed"
    if outcome == "stopped":
        ends = [e.at for e in first if isinstance(e, ev.PlaybackEnded)]
        silent_after = round(max(0.0, ends[-1] - voice), 4) if ends else None
    return SoakInterruption(
        t=round(at, 3),
        question=turns[0].question,
        by=turns[1].question,
        outcome=outcome,
        silent_after=silent_after,
        answered=turns[1].response_time is not None,
    )
