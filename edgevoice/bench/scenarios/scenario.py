"""A scenario: who speaks when, in which room, and what must happen; see docs/scenarios.md.

A file whose room has several delays, levels or tails stands for as many scenarios.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from edgevoice import compatibility
from edgevoice.bench.scenarios.noises import Noise
from edgevoice.bench.scenarios.room_response import Acoustics

FORMAT = "edgevoice scenario"
VERSION = 1
"""Raised by a change that an old program would misread."""

Seconds = Annotated[float, Meta(ge=0.0, le=3600.0)]
Decibels = Annotated[float, Meta(ge=-90.0, le=30.0)]
Delay = Annotated[float, Meta(ge=0.0, le=1000.0)]
Tail = Annotated[float, Meta(ge=0.0, le=2000.0)]
Count = Annotated[int, Meta(ge=0)]

After = Literal["answered", "step", "reply", "reply_end"]
"""`answered`: the assistant is idle; `step`: the end of the step before; `reply`: the first audible
sample of the next reply; `reply_end`: its last."""

StepEffect = Literal["question", "begun", "interruption", "stop", "nothing"]
"""What a step must cause: an answer; one answer to it and the next step; silence and an answer;
silence; nothing."""

KeyPress = Literal["interrupt", "mute", "unmute", "talk", "release", "new"]

ECHO_AXES = {"delay_ms": "ms", "level_db": "dB", "tail_ms": "ms tail"}
"""What a room may have several of, with the units."""

SOURCES = ("say", "file", "corpus", "noise", "silence", "type", "press")
"""The fields for the action of a step; each step has one."""


class RoomSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The room. Each combination of several delays, levels and tails is a scenario of its own."""

    echo: bool = False
    """Whether the microphone hears the speaker; false: as with headphones."""
    delay_ms: Union[Delay, tuple[Delay, ...]] = 100.0
    """Delay from speaker to microphone in milliseconds, or a list."""
    level_db: Union[Decibels, tuple[Decibels, ...]] = -20.0
    """Level of the echo in dB relative to what is played, or a list."""
    tail_ms: Union[Tail, tuple[Tail, ...]] = 300.0
    """Reverberation time (RT60) in milliseconds, or a list; 0: none."""
    seed: Count = 1
    """Selects one of many such rooms."""
    noise: Noise | None = None
    """Generated noise that plays all the time."""
    file: str = ""
    """Or a sound file in a loop, relative to the scenario's file."""
    corpus: str = ""
    """Or a file of the `--corpus` folder."""
    noise_db: Decibels = -45.0
    """Level of that noise: RMS in dBFS."""

    @property
    def acoustics(self) -> Acoustics | None:
        """How the microphone hears the speaker; None without echo. Of several values the first."""
        if not self.echo:
            return None
        delay, level, tail = (_several(getattr(self, name))[0] for name in ECHO_AXES)
        return Acoustics(delay=delay / 1000, level=level, tail=tail / 1000, seed=self.seed)


class ScenarioStep(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One action, `wait` seconds after the event `after`.

    Exactly one of the first seven fields is set.
    """

    say: str = ""
    """Words, spoken by the assistant's own voice, raised by `pitch`."""
    file: str = ""
    """A sound file, relative to the scenario's file."""
    corpus: str = ""
    """A sound file of the `--corpus` folder."""
    noise: Noise | None = None
    """Generated noise of length `seconds`."""
    silence: Seconds | None = None
    """Seconds without any action."""
    type: str = ""
    """A typed question."""
    press: KeyPress | None = None
    """A key. `talk` starts push-to-talk, `release` ends it, `new` starts a new conversation."""
    after: After = "answered"
    """What the step waits for; the default is `answered`."""
    wait: Seconds = 0.0
    """Seconds to wait after that."""
    words: Annotated[int, Meta(ge=1)] | None = None
    """With `after = "reply"`: start when this many words of the reply were played."""
    fraction: Annotated[float, Meta(gt=0.0, lt=1.0)] | None = None
    """With `after = "reply"`: start when this share of the reply was played, 0 to 1."""
    part: StepEffect | None = None
    """What the step must cause."""
    level: Decibels = 0.0
    """Gain in dB. Generated sound has −25 dBFS."""
    seconds: Seconds = 2.0
    """Length of `noise`."""
    pitch: Annotated[float, Meta(ge=0.5, le=2.0)] = 1.12
    """Factor by which the voice is higher and faster than the assistant's."""

    @property
    def source(self) -> str:
        """The field of `SOURCES` that is set, or empty."""
        has = (name for name in SOURCES if getattr(self, name) not in ("", None))
        return next(has, "")

    @property
    def role(self) -> StepEffect:
        """What it must cause: `part`, or what such a step usually causes."""
        if self.part is not None:
            return self.part
        return "question" if self.source in ("say", "file", "corpus", "type") else "nothing"


class Expectations(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must happen. Counts are upper limits; null: any number."""

    answers: Count | None = None
    """Required number of answers; default: the number of questions and interruptions."""
    recognized: tuple[tuple[str, ...], ...] = ()
    """For each answer, words that the transcript must contain; `two|2` allows either."""
    replies: tuple[tuple[str, ...], ...] = ()
    """For each answer, words that the reply must contain."""
    silent_ms: Count | None = None
    """Most milliseconds from the first voiced sample of an interruption to silence."""
    confirmed_ms: Count | None = None
    """Most milliseconds from the detection of an interruption to silence."""
    missed: Count | None = 0
    """Most questions without an answer."""
    cut_offs: Count | None = 0
    """Most questions answered before their end."""
    false_starts: Count | None = None
    """Most turns that start without speech to the assistant."""
    false_answers: Count | None = 0
    """Most of those that are answered."""
    self_answers: Count | None = 0
    """Most of those in which the assistant answers itself."""
    false_interruptions: Count | None = 0
    """Most replies that end early without an interruption."""
    not_heard: Count | None = 0
    """Most interruptions that do not stop the reply."""


class Scenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A turn-taking scenario."""

    format: Literal["edgevoice scenario"]
    """Always `edgevoice scenario`."""
    version: int
    """Version of the format: 1."""
    means: str
    """What the scenario shows, in one sentence."""
    name: str = ""
    """Name in tables; default: the file name without its extension."""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """`[settings.SECTION]` as in config.toml: settings for this scenario."""
    room: RoomSettings = field(default_factory=RoomSettings)
    """The room."""
    step: tuple[ScenarioStep, ...] = ()
    """The steps, one `[[step]]` each."""
    listen: Seconds = 0.0
    """Least seconds to continue after the last step."""
    expect: Expectations = field(default_factory=Expectations)
    """The expected outcome."""

    @property
    def changes(self) -> dict[str, Any]:
        """The settings by `section.key`."""
        tables = self.settings.items()
        return compatibility.settings(
            {f"{section}.{key}": value for section, table in tables for key, value in table.items()}
        )

    @property
    def from_corpus(self) -> list[str]:
        """The files of a corpus that it needs."""
        named = [self.room.corpus, *(step.corpus for step in self.step)]
        return [name for name in named if name]


def variants(scenario: Scenario) -> list[Scenario]:
    """One scenario for each combination of delay, level and tail, named after it."""
    room = scenario.room
    if not room.echo:
        return [scenario]
    axes = [_several(getattr(room, name)) for name in ECHO_AXES]
    made = []
    for values in itertools.product(*axes):
        named = zip(values, ECHO_AXES.values(), axes, strict=True)
        label = ", ".join(f"{value:g} {unit}" for value, unit, axis in named if len(axis) > 1)
        name = f"{scenario.name} ({label})" if label else scenario.name
        only = dict(zip(ECHO_AXES, values, strict=True))
        made.append(replace(scenario, name=name, room=replace(room, **only)))
    return made


def _several(value: float | tuple[float, ...]) -> tuple[float, ...]:
    return value if isinstance(value, tuple) else (value,)
