"""A scenario, acted out: each step when it is its time, and everything that was seen and heard."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from edgevoice import events as ev
from edgevoice.audio import Samples
from edgevoice.bench.driver.driver import QuestionDriver
from edgevoice.bench.driver.player import SLICE
from edgevoice.bench.scenarios.assets import AudioClip, ScenarioScript
from edgevoice.bench.scenarios.room import RoomRecording
from edgevoice.bench.scenarios.room_response import Acoustics
from edgevoice.bench.scenarios.scenario import Part, ScenarioStep

LEAD = 0.6
"""Seconds in which the room is heard before anybody speaks."""

PATIENCE = 60.0
"""Seconds after which what a step waits for is not going to come."""

LOOK = 0.01
"""Seconds between two looks at whether it has come."""

BEHIND = 0.5
"""Seconds after the last step in which the sound of a recorder and a sound system arrives."""


WAITS = {
    "answered": "an end of all that went on",
    "reply": "a reply",
    "reply_end": "the end of a reply",
}

_E = TypeVar("_E", bound=ev.Event)


class ScenarioStage(Protocol):
    """A room, or what stands in for one in tests; see room.py."""

    def acoustics(self, acoustics: Acoustics | None) -> None: ...

    def bed(self, samples: Samples) -> None: ...

    def say(self, samples: Samples, *, at: float, level: float) -> int: ...

    def wait_for(self, number: int) -> float: ...

    def drop(self) -> None: ...

    def record(self, seconds: float) -> None: ...

    def recorded(self) -> RoomRecording: ...


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step as it was done: session times of its first and its last voiced sample, and of the end
    of its sound."""

    step: int
    part: Part
    what: str
    began: float
    ended: float
    over: float


@dataclass(frozen=True, slots=True)
class ScenarioRecord:
    """A whole scenario as it went; `stuck` says what did not come that a step waited for."""

    done: tuple[StepDone, ...]
    events: tuple[ev.Event, ...]
    recording: RoomRecording
    began: float
    ended: float
    stuck: str = ""


class ScenarioRunner:
    """Acts scripts out in a room with an assistant that runs."""

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
        stage.record(2 * script.expected + 2 * PATIENCE)
        self._wait(LEAD)
        done: list[StepDone] = []
        stuck = ""
        for number, (step, clip) in enumerate(zip(script.scenario.step, script.clips, strict=True)):
            at = self._anchor(step, done[-1] if done else None)
            if at is None:
                stuck = f"step {number + 1} waits for {WAITS[step.after]} that never came"
                break
            done.append(self._do(number, step, clip, at + step.wait))
        over = max((d.over for d in done), default=clock.now())
        self._wait(over - clock.now())
        if not self._settled() and not stuck:
            stuck = "it was never idle again"
        self._wait(over + script.scenario.listen - clock.now())
        if script.scenario.listen:
            self._settled()
        ended = clock.now()
        events = tuple(self._events)
        if stuck:
            # Whatever goes on is not to go on in the next one.
            self._one.assistant.interrupt()
        self._wait(BEHIND)
        stage.drop()
        stage.bed(script.bed[:0])
        return ScenarioRecord(tuple(done), events, stage.recorded(), began, ended, stuck)

    def _do(self, number: int, step: ScenarioStep, clip: AudioClip | None, due: float) -> StepDone:
        if clip is not None:
            sound = self._stage.say(clip.samples, at=due, level=step.level)
            at = self._stage.wait_for(sound)
            return StepDone(
                number, step.role, step.say or step.file or step.corpus or str(step.noise),
                at + clip.first, at + clip.last, at + clip.seconds,
            )  # fmt: skip
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
        """The session time that a step is counted from, once it is known; None: it never comes."""
        if step.after == "step" and before is not None:
            return before.over
        if step.after == "answered":
            self._wait((before.over if before else 0.0) - self._clock.now())
            if before is None or self._settled():
                return self._clock.now()
            return None
        since = before.began if before else 0.0
        if step.after == "reply_end":
            return self._seen(lambda: _first(e.at for e in self._since(since, ev.PlaybackEnded)))
        begun = self._seen(
            lambda: _first(e.audible_at for e in self._since(since, ev.PlaybackStarted))
        )
        if begun is None or not (step.words or step.fraction):
            return begun
        return self._seen(lambda: self._heard_enough(step, since))

    def _heard_enough(self, step: ScenarioStep, since: float) -> float | None:
        turn = self._since(since, ev.PlaybackStarted)[0].turn
        mine = [e for e in self._events[:] if getattr(e, "turn", None) == turn]
        reply = "".join(e.text for e in mine if isinstance(e, ev.TokenGenerated))
        chars = max((e.chars for e in mine if isinstance(e, ev.PlaybackProgress)), default=0)
        if step.words:
            enough = len(reply[:chars].split()) >= step.words
        else:
            whole = any(isinstance(e, ev.GenerationEnded) for e in mine)
            enough = whole and chars >= (step.fraction or 0.0) * len(reply)
        return self._clock.now() if enough else None

    def _since(self, since: float, kind: type[_E]) -> list[_E]:
        return [e for e in self._events[:] if isinstance(e, kind) and e.t >= since]

    def _seen(self, found: Callable[[], float | None]) -> float | None:
        """What `found` gives, once it gives something."""
        end = self._clock.now() + PATIENCE
        while (at := found()) is None:
            self._one.check()
            if self._clock.now() > end:
                return None
            self._clock.sleep(LOOK)
        return at

    def _settled(self) -> bool:
        return self._one.settle(self._clock.now() + PATIENCE)

    def _wait(self, seconds: float) -> None:
        end = self._clock.now() + seconds
        while (left := end - self._clock.now()) > 0:
            self._one.check()
            self._clock.sleep(min(left, SLICE))


def _first(times: Iterable[float]) -> float | None:
    return next(iter(times), None)
