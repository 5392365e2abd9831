"""The turns of a scenario, from events: when each was spoken, answered and ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgevoice import events as ev


@dataclass(slots=True)
class ScenarioExchange:
    """One turn, with the turns it replaced. Session times in seconds; None: it did not happen.

    `began` and `ended` are those of the user's speech, `told` the start of the turn. `noticed` is
    when its reply was paused or cancelled for good.
    """

    turn: int
    origin: str
    told: float
    began: float | None = None
    ended: float | None = None
    committed: float | None = None
    noticed: float | None = None
    recognized: str = ""
    reply: str = ""
    heard: str = ""
    interrupted: bool = False
    resumed_after: int = 0
    """Times that its reply paused and continued."""
    audible_from: float | None = None
    audible_to: float | None = None

    @property
    def answered(self) -> bool:
        return self.audible_from is not None

    @property
    def start(self) -> float:
        """The start of the user's speech, or of the turn."""
        return self.told if self.began is None else self.began

    @property
    def end(self) -> float:
        """The end of the user's speech; not before `start`."""
        return max(self.start, self.told if self.ended is None else self.ended)

    def sounding(self, at: float) -> bool:
        """Whether its reply was audible at session time `at`."""
        begun = self.audible_from is not None and self.audible_from <= at
        return begun and (self.audible_to is None or self.audible_to > at)


def exchanges(events: Sequence[ev.Event]) -> list[ScenarioExchange]:
    """The turns in `events`, in order. A turn that was replaced is part of its successor."""
    found: dict[int, ScenarioExchange] = {}
    for event in events:
        if isinstance(event, ev.TurnStarted):
            made = found[event.turn] = ScenarioExchange(event.turn, event.origin, event.t)
            if event.replaces is not None and (old := found.pop(event.replaces, None)):
                made.told, made.began = old.told, old.began
        elif (one := found.get(getattr(event, "turn", -1))) is not None:
            _add(one, event)
    return list(found.values())


def _add(one: ScenarioExchange, event: ev.Event) -> None:
    match event:
        case ev.SpeechStarted():
            one.began = event.at if one.began is None else min(one.began, event.at)
        case ev.SpeechPaused() | ev.SpeechEnded():
            one.ended = event.at
        case ev.TurnCommitted():
            one.committed = event.t
        case ev.FinalTranscript():
            one.recognized = event.text.strip()
        case ev.TokenGenerated():
            one.reply += event.text
        case ev.PlaybackStarted() if one.audible_from is None:
            one.audible_from = event.audible_at
        case ev.PlaybackEnded():
            one.audible_to = event.at
        case ev.PlaybackPaused():
            one.noticed = event.t
        case ev.PlaybackResumed():
            one.noticed = None
            one.resumed_after += event.held
        case ev.TurnCancelled() if one.noticed is None:
            one.noticed = event.t
        case ev.TurnCompleted():
            one.heard, one.interrupted = event.heard, event.interrupted
        case _:
            pass
