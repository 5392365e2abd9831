"""Assign sound to turns: a fold over frames and events in order.

A turn that was dropped because the user went on is part of the turn that replaced it. The
recording begins before the first word and contains every pause.
"""

from __future__ import annotations

import datetime
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from edgevoice import events as ev
from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Frame, Samples
from edgevoice.protocols import ChatMessage
from edgevoice.recordings.recorded_turn import PastMessage, RecordedTurn, raw, settings_of, timed
from edgevoice.settings import Config
from edgevoice.timings import fold
from edgevoice.turn_taking.endpointing import GAPPY
from edgevoice.turn_taking.interruption import thresholds

MIN_LEAD = 0.5
"""Minimum seconds recorded before the first voiced sample: a replay needs the background."""

DETECTION_SLACK = 1.0
"""Further seconds buffered during silence, for speech that is detected late."""


@dataclass(frozen=True, slots=True)
class CapturedFrame:
    """A frame; its first sample reached the microphone at session time `at`."""

    frame: Frame
    at: float


@dataclass(frozen=True, slots=True)
class PipelineStarted:
    """A pipeline was started with `config`; its frames are numbered from 0."""

    config: Config


@dataclass(frozen=True, slots=True)
class EventWithHistory:
    """An event, with the conversation at that moment if it is needed."""

    event: ev.Event
    messages: tuple[ChatMessage, ...] | None = None


Item = CapturedFrame | PipelineStarted | EventWithHistory


@dataclass(slots=True)
class _Open:
    """An unfinished turn; `start` is the stream index of the first sample of its sound."""

    turn: int
    events: list[ev.Event] = field(default_factory=list)
    start: int | None = None
    ended_at: float | None = None
    ending: str = ""
    reason: str = ""
    """Why it was cancelled, if it was."""
    committed: bool = False
    sound: list[CapturedFrame] | None = None
    messages: tuple[ChatMessage, ...] | None = None
    prompted: bool = False
    """Whether `messages` are those of the turn's own prompt."""

    @property
    def done(self) -> bool:
        return bool(self.ending) and self.sound is not None


class TurnAssembly:
    """Accepts items in order, and yields each finished spoken turn with its sound."""

    def __init__(self) -> None:
        self._config = Config()
        self._sound: deque[CapturedFrame] = deque()
        self._open: dict[int, _Open] = {}
        self._session: ev.SessionStarted | None = None
        self._started = ""
        self._muted = False

    def reset(self) -> None:
        """Drop unfinished turns, because items were lost."""
        self._sound.clear()
        self._open.clear()

    def push(self, item: Item) -> Iterator[tuple[RecordedTurn, Samples]]:
        """Process the next item; yields the turns that it finishes."""
        match item:
            case CapturedFrame():
                self._add_frame(item)
            case PipelineStarted(config):
                self._config = config
                self._drop_unfinished()
            case EventWithHistory(event, messages):
                yield from self._add_event(event, messages)

    def _add_frame(self, sound: CapturedFrame) -> None:
        if self._muted:
            return
        self._sound.append(sound)
        starts = [turn.start for turn in self._open.values() if turn.sound is None]
        first = min((start for start in starts if start is not None), default=None)
        if first is None:
            settings = self._config.turn
            detection_delay = (
                max(settings.min_speech_ms, GAPPY * thresholds(settings).notice_ms) / 1000
            )
            first = sound.frame.index - round(
                (self._lead() + detection_delay + DETECTION_SLACK) * CAPTURE_RATE
            )
        while self._sound and self._sound[0].frame.index + FRAME_SAMPLES <= first:
            self._sound.popleft()

    def _lead(self) -> float:
        return max(MIN_LEAD, self._config.turn.pre_roll_ms / 1000 + 0.2)

    def _add_event(
        self, event: ev.Event, messages: tuple[ChatMessage, ...] | None
    ) -> Iterator[tuple[RecordedTurn, Samples]]:
        match event:
            case ev.SessionStarted():
                self._session, self._muted = event, False
                self._started = self._started or event.wall
            case ev.Muted():
                self._muted = event.on
                if event.on:
                    self._drop_unfinished()
            case ev.SessionEnded():
                for open_turn in [*self._open.values()]:
                    open_turn.ending = open_turn.ending or open_turn.reason or "shutdown"
                    yield from self._finished(open_turn)
                self.reset()
            case ev.TurnStarted():
                self._begin(event)
            case ev.Overrun() | ev.HistoryTrimmed() | ev.StageFailed(turn=None):
                for open_turn in self._open.values():
                    open_turn.events.append(event)
            case _:
                number = getattr(event, "turn", None)
                if number is not None and (turn := self._open.get(number)):
                    turn.events.append(event)
                    self._update(turn, event, messages)
                    yield from self._finished(turn)

    def _drop_unfinished(self) -> None:
        """Drop buffered sound and turns whose speech has not ended."""
        self._sound.clear()
        self._open = {n: turn for n, turn in self._open.items() if turn.sound is not None}

    def _begin(self, event: ev.TurnStarted) -> None:
        if event.origin in ("text", "announcement"):
            return
        turn = _Open(event.turn)
        replaced = None if event.replaces is None else self._open.pop(event.replaces, None)
        if replaced is not None:
            turn.events, turn.start = replaced.events, replaced.start
        turn.events.append(event)
        self._open[event.turn] = turn

    def _update(
        self, turn: _Open, event: ev.Event, messages: tuple[ChatMessage, ...] | None
    ) -> None:
        match event:
            case ev.SpeechStarted() if turn.start is None and self._sound:
                nearest = min(self._sound, key=lambda sound: abs(sound.at - event.at))
                turn.start = nearest.frame.index - round(self._lead() * CAPTURE_RATE)
            case ev.SpeechEnded():
                turn.ended_at = event.at
                turn.sound = [
                    sound
                    for sound in self._sound
                    if turn.start is not None and sound.frame.index + FRAME_SAMPLES > turn.start
                ]
            case ev.PrefillStarted() | ev.ReplyContinued() if not turn.prompted:
                turn.messages, turn.prompted = messages, True
            case ev.TurnCommitted():
                turn.committed = True
            case ev.TurnCancelled():
                turn.messages = turn.messages if turn.prompted else messages
                if event.reason != "resumed":
                    turn.reason = event.reason
                    # A committed turn still completes, with the part that was played.
                    turn.ending = "" if turn.committed else event.reason
            case ev.TurnCompleted():
                turn.ending = turn.reason or ("interrupted" if event.interrupted else "completed")
            case _:
                pass

    def _finished(self, turn: _Open) -> Iterator[tuple[RecordedTurn, Samples]]:
        if not turn.done:
            return
        self._open.pop(turn.turn, None)
        if turn.sound and turn.ended_at is not None and self._session is not None:
            yield self._recorded(turn, turn.sound, turn.ended_at, self._session)

    def _recorded(
        self, turn: _Open, sound: Sequence[CapturedFrame], ended: float, session: ev.SessionStarted
    ) -> tuple[RecordedTurn, Samples]:
        samples, began = joined(sound), sound[0].at
        own = [event for event in turn.events if getattr(event, "turn", None) == turn.turn]
        answered = fold(timed(turn.events))
        timings = answered[-1] if answered else None
        wall = datetime.datetime.fromisoformat(session.wall)
        started = wall + datetime.timedelta(seconds=began - session.t)
        recorded = RecordedTurn(
            edgevoice=session.version,
            platform=session.platform,
            session=self._started,
            started=started.isoformat(timespec="milliseconds"),
            turn=turn.turn,
            number=timings.number if timings else 0,
            audio="",
            began=began,
            seconds=len(samples) / CAPTURE_RATE,
            speech_end=ended - began,
            input=session.input,
            ending=turn.ending,
            heard=" ".join(e.text.strip() for e in own if isinstance(e, ev.FinalTranscript)),
            reply="".join(
                e.text for e in own if isinstance(e, ev.TokenGenerated | ev.ReplyContinued)
            ).strip(),
            spoken="".join(e.heard for e in own if isinstance(e, ev.TurnCompleted)),
            response_time=timings.response_time if timings else None,
            spans={span.name: span.seconds for span in timings.spans} if timings else {},
            models=session.models,
            settings=settings_of(self._config),
            history=tuple(
                PastMessage(m.role, m.text, m.interrupted, m.lead) for m in turn.messages or ()
            ),
            events=raw(turn.events),
        )
        return recorded, samples


def joined(sound: Sequence[CapturedFrame]) -> Samples:
    """The frames as float32 [n], with silence for missing ones."""
    first, last = sound[0].frame.index, sound[-1].frame.index
    samples = np.zeros(last - first + FRAME_SAMPLES, dtype=np.float32)
    for each in sound:
        at = each.frame.index - first
        samples[at : at + FRAME_SAMPLES] = each.frame.samples
    return samples
