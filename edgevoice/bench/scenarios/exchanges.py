"""The turns of a scenario, put together from events: when each was spoken, answered and ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgevoice import events as ev


@dataclass(slots=True)
class ScenarioExchange:
    """One turn, with what it replaced; times are session times in seconds, None: it never was.

    `began` and `ended` are those of the user's speech, `told` when the turn began to be one, and
    `noticed` when it was told that its reply is to end, or to pause until that is known.
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
    resumed: bool = False
    resumed_after: int = 0
    """How often its reply paused and went on."""
    audible_from: float | None = None
    audible_to: float | None = None

    @property
    def answered(self) -> bool:
        return self.audible_from is not None

    @property
    def spoken(self) -> bool:
        """Whether it began with something that was heard."""
        return self.origin != "text"

    def sounding(self, at: float) -> bool:
        """Whether its reply could be heard at session time `at`."""
        begun = self.audible_from is not None and self.audible_from <= at
        return begun and (self.audible_to is None or self.audible_to > at)


def exchanges(events: Sequence[ev.Event]) -> list[ScenarioExchange]:
    """The turns that `events` tell of, in the order in which they began; one that the user went on
    from is part of the one that replaced it."""
    found: dict[int, ScenarioExchange] = {}
    for event in events:
        if isinstance(event, ev.TurnStarted):
            made = found[event.turn] = ScenarioExchange(event.turn, event.origin, event.t)
            if event.replaces in found:
                old = found[event.replaces]
                old.resumed = True
                made.told, made.began = old.told, old.began
        elif (one := found.get(getattr(event, "turn", -1))) is not None:
            _add(one, event)
    return [one for one in found.values() if not one.resumed]


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
        case ev.PlaybackStarted():
            if one.audible_from is None:
                one.audible_from = event.audible_at
        case ev.PlaybackEnded():
            one.audible_to = event.at
        case ev.PlaybackPaused():
            one.noticed = event.t
        case ev.PlaybackResumed():
            one.noticed = None
            one.resumed_after += event.held
        case ev.TurnCancelled():
            # Where it had paused before, that is when it was told.
            one.noticed = event.t if one.noticed is None else one.noticed
        case ev.TurnCompleted():
            one.heard, one.interrupted = event.heard, event.interrupted
        case _:
            pass
