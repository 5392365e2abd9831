"""Acts out a scenario: each step in its time, and everything that happens is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from edgevoice import events as ev
from edgevoice.audio import Samples
from edgevoice.bench.driver.driver import QuestionDriver
from edgevoice.bench.driver.player import WAIT_SLICE
from edgevoice.bench.scenarios.assets import AudioClip, ScenarioScript
from edgevoice.bench.scenarios.room import POLL_SLICE, RoomTrack
from edgevoice.bench.scenarios.room_response import Acoustics
from edgevoice.bench.scenarios.scenario import ScenarioStep, StepEffect

LEAD_IN_SECONDS = 0.6
"""Seconds of the room before anybody speaks."""

STEP_PATIENCE = 60.0
"""Seconds to wait for what a step waits for."""

BEHIND = 0.5
"""Seconds after the last step until the recorder and the sound system have all sound."""

WAIT_EVENTS = {
    "answered": "an end of all that went on",
    "reply": "a reply",
    "reply_end": "the end of a reply",
}

_E = TypeVar("_E", bound=ev.Event)
_T = TypeVar("_T")


class ScenarioStage(Protocol):
    """A room, or a virtual one in tests; see room.py."""

    def acoustics(self, acoustics: Acoustics | None) -> None: ...

    def bed(self, samples: Samples) -> None: ...

    def say(self, samples: Samples, *, at: float, level: float) -> int: ...

    def wait_for(self, number: int) -> float: ...

    def drop(self) -> None: ...

    def record(self, seconds: float) -> None: ...

    def recorded(self) -> RoomTrack: ...


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step that was done: session times of its first and last voiced sample, and of the end of
    its sound."""

    step: int
    part: StepEffect
    what: str
    began: float
    ended: float
    over: float


@dataclass(frozen=True, slots=True)
class ScenarioRecord:
    """Everything that happened, and what the `speaker` played; `stuck` says what a step waited for
    in vain."""

    done: tuple[StepDone, ...]
    events: tuple[ev.Event, ...]
    speaker: RoomTrack
    began: float
    ended: float
    stuck: str = ""


class ScenarioRunner:
    """Acts scripts out in a room with a running assistant."""

    def __init__(self, one: QuestionDriver, stage: ScenarioStage) -> None:
        self._one = one
        self._stage = stage
        self._clock = one.clock
        self._events: list[ev.Event] = []
        one.assistant.bus.subscribe(self._events.append)

    def act(self, script: ScenarioScript, acoustics: Acoustics | None) -> ScenarioRecord:
        """Act it out from a new conversation on; `acoustics` is how the speaker is heard."""
        stage, clock = self._stage, self._clock
        self._one.forget()
        stage.acoustics(acoustics)
        stage.bed(script.bed)
        self._events.clear()
        began = clock.now()
        stage.record(2 * script.expected + 2 * STEP_PATIENCE)
        self._wait(LEAD_IN_SECONDS)
        done: list[StepDone] = []
        stuck = ""
        for number, (step, clip) in enumerate(zip(script.scenario.step, script.clips, strict=True)):
            at = self._anchor(step, done[-1] if done else None)
            if at is None:
                stuck = f"step {number + 1} waits for {WAIT_EVENTS[step.after]} that never came"
                break
            done.append(self._do(number, step, clip, at + step.wait))
        over = max((d.over for d in done), default=clock.now())
        self._wait(over - clock.now())
        if not self._settled() and not stuck:
            stuck = "it was never idle again"
        if script.scenario.listen:
            self._wait(over + script.scenario.listen - clock.now())
            self._settled()
        ended = clock.now()
        events = tuple(self._events)
        if stuck:
            # The next scenario must not begin with the rest of this one.
            self._one.assistant.interrupt()
        self._wait(BEHIND)
        stage.drop()
        stage.bed(script.bed[:0])
        return ScenarioRecord(tuple(done), events, stage.recorded(), began, ended, stuck)

    def _do(self, number: int, step: ScenarioStep, clip: AudioClip | None, due: float) -> StepDone:
        if clip is not None:
            what = step.say or step.file or step.corpus or str(step.noise)
            at = self._stage.wait_for(self._stage.say(clip.samples, at=due, level=step.level))
            first, last, over = at + clip.first, at + clip.last, at + clip.seconds
            return StepDone(number, step.role, what, first, last, over)
        self._wait(due - self._clock.now())
        now = self._clock.now()
        if step.silence is not None:
            over = now + step.silence
            return StepDone(number, step.role, "silence", now, over, over)
        if step.type:
            self._one.assistant.say(step.type)
        else:
            self._press(str(step.press))
        return StepDone(number, step.role, step.type or f"[{step.press}]", now, now, now)

    def _press(self, key: str) -> None:
        assistant = self._one.assistant
        keys: dict[str, Callable[[], None]] = {
            "interrupt": assistant.interrupt,
            "mute": lambda: assistant.mute(True),
            "unmute": lambda: assistant.mute(False),
            "talk": lambda: assistant.talk(True),
            "release": lambda: assistant.talk(False),
            "new": assistant.new_conversation,
        }
        keys[key]()

    def _anchor(self, step: ScenarioStep, before: StepDone | None) -> float | None:
        """The session time that a step counts from, once it is known; None: it never comes."""
        if step.after == "step" and before is not None:
            return before.over
        if step.after == "answered":
            self._wait((before.over if before else 0.0) - self._clock.now())
            return self._clock.now() if before is None or self._settled() else None
        since = before.began if before else 0.0
        if step.after == "reply_end":
            ended = self._next(ev.PlaybackEnded, since)
            return ended.at if ended else None
        began = self._next(ev.PlaybackStarted, since)
        if began is None or not (step.words or step.fraction):
            return began.audible_at if began else None
        return self._seen(lambda: self._played_enough(step, began.turn))

    def _played_enough(self, step: ScenarioStep, turn: int | None) -> float | None:
        mine = [e for e in self._events[:] if getattr(e, "turn", None) == turn]
        reply = "".join(e.text for e in mine if isinstance(e, ev.TokenGenerated))
        chars = max((e.chars for e in mine if isinstance(e, ev.PlaybackProgress)), default=0)
        if step.words:
            enough = len(reply[:chars].split()) >= step.words
        else:
            whole = any(isinstance(e, ev.GenerationEnded) for e in mine)
            enough = whole and chars >= (step.fraction or 0.0) * len(reply)
        return self._clock.now() if enough else None

    def _next(self, kind: type[_E], since: float) -> _E | None:
        """The first such event after session time `since`; None: it never comes."""
        return self._seen(
            lambda: next((e for e in self._events[:] if isinstance(e, kind) and e.t >= since), None)
        )

    def _seen(self, found: Callable[[], _T | None]) -> _T | None:
        """What `found` returns, once it is not None; None: it never is."""
        end = self._clock.now() + STEP_PATIENCE
        while (made := found()) is None and self._clock.now() <= end:
            self._one.check()
            self._clock.sleep(POLL_SLICE)
        return made

    def _settled(self) -> bool:
        return self._one.settle(STEP_PATIENCE)

    def _wait(self, seconds: float) -> None:
        end = self._clock.now() + seconds
        while (left := end - self._clock.now()) > 0:
            self._one.check()
            self._clock.sleep(min(left, WAIT_SLICE))
