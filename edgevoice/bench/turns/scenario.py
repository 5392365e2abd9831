"""A scenario: who speaks when in what room, and what must come of it. docs/turns.md is its manual.

One TOML file each. A file whose room has several delays or levels stands for as many scenarios.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from edgevoice.bench.turns.acoustics import Acoustics
from edgevoice.bench.turns.noises import Noise

FORMAT = "edgevoice scenario"
VERSION = 1
"""A change that an old program would misread raises it."""

Seconds = Annotated[float, Meta(ge=0.0, le=3600.0)]
Decibels = Annotated[float, Meta(ge=-90.0, le=30.0)]
Delay = Annotated[float, Meta(ge=0.0, le=1000.0)]
Tail = Annotated[float, Meta(ge=0.0, le=2000.0)]
Count = Annotated[int, Meta(ge=0)]

After = Literal["answered", "step", "reply", "reply_end"]
"""`answered`: all is said, answered and idle; `step`: the end of the step before; `reply`: the
first audible sample of the next reply; `reply_end`: its last."""

Part = Literal["question", "begun", "interruption", "stop", "nothing"]
"""What a step is to bring about: an answer; an answer to it and the next step together; silence
and an answer; silence; nothing at all."""

Key = Literal["interrupt", "mute", "unmute", "talk", "release", "new"]

SOURCES = ("say", "file", "corpus", "noise", "silence", "type", "press")
"""What a step does; each has one of them."""


class Room(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it happens. With `echo` the microphone hears the speaker, `delay_ms` later, `level_db`
    louder and with an echo tail of `tail_ms` (RT60); several of each stand for a scenario each.

    All the while there is `noise` (generated), or the sound of `file` or `corpus`, at `noise_db`
    (RMS, dBFS).
    """

    echo: bool = False
    delay_ms: Union[Delay, tuple[Delay, ...]] = 100.0
    level_db: Union[Decibels, tuple[Decibels, ...]] = -20.0
    tail_ms: Union[Tail, tuple[Tail, ...]] = 300.0
    seed: Count = 1
    noise: Noise | None = None
    file: str = ""
    corpus: str = ""
    noise_db: Decibels = -45.0

    @property
    def acoustics(self) -> Acoustics | None:
        """The way from the speaker to the microphone, where there is one; of several the first."""
        if not self.echo:
            return None
        return Acoustics(
            delay=_first(self.delay_ms) / 1000,
            level=_first(self.level_db),
            tail=_first(self.tail_ms) / 1000,
            seed=self.seed,
        )


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that is done `wait` seconds `after` something else.

    Of the first seven there is one: words for the voice to `say` with its `pitch` raised, the sound
    of a `file` (relative to the scenario's) or of the `corpus` folder, generated `noise` that lasts
    for `seconds`, so many seconds of `silence`, a question to `type`, or a key to `press`. `level`
    is in dB on top of the sound as it is. With `words` or `fraction` and `after = "reply"` it waits
    until so much of the reply was heard.
    """

    say: str = ""
    file: str = ""
    corpus: str = ""
    noise: Noise | None = None
    silence: Seconds | None = None
    type: str = ""
    press: Key | None = None
    after: After = "answered"
    wait: Seconds = 0.0
    words: Annotated[int, Meta(ge=1)] | None = None
    fraction: Annotated[float, Meta(gt=0.0, lt=1.0)] | None = None
    part: Part | None = None
    level: Decibels = 0.0
    seconds: Seconds = 2.0
    pitch: Annotated[float, Meta(ge=0.5, le=2.0)] = 1.12

    @property
    def source(self) -> str:
        """Which of `SOURCES` it has; empty where it has none."""
        has = (name for name in SOURCES if getattr(self, name) not in ("", None))
        return next(has, "")

    @property
    def role(self) -> Part:
        """What it is to bring about: what `part` says, or what such a step usually does."""
        if self.part is not None:
            return self.part
        return "question" if self.source in ("say", "file", "corpus", "type") else "nothing"


class Expect(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must come of it. The counts are the most that there may be; None: any number.

    `answers` is how many answers there must be, unless as many as questions and interruptions.
    `recognized` and `replies` have a list for each answer in turn: words that must be in what was
    understood, and in what was said; `a|b` is either. `silent_ms`: time from the first voiced
    sample of an interruption until it is silent, and `confirmed_ms` from when it is told to be one.
    """

    answers: Count | None = None
    recognized: tuple[tuple[str, ...], ...] = ()
    replies: tuple[tuple[str, ...], ...] = ()
    silent_ms: Count | None = None
    confirmed_ms: Count | None = None
    missed: Count | None = 0
    cut_offs: Count | None = 0
    false_starts: Count | None = None
    false_answers: Count | None = 0
    self_answers: Count | None = 0
    false_interruptions: Count | None = 0
    not_heard: Count | None = 0


class Scenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole scenario. `listen` is for how many seconds it goes on after the last step, at least;
    `settings` are by section and key, as in config.toml."""

    format: Literal["edgevoice scenario"]
    version: int
    means: str
    name: str = ""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    room: Room = field(default_factory=Room)
    step: tuple[Step, ...] = ()
    listen: Seconds = 0.0
    expect: Expect = field(default_factory=Expect)

    @property
    def changes(self) -> dict[str, Any]:
        """The settings by `section.key`."""
        return {
            f"{section}.{key}": value
            for section, table in self.settings.items()
            for key, value in table.items()
        }

    @property
    def from_corpus(self) -> list[str]:
        """The files of a corpus that it needs."""
        named = [self.room.corpus, *(step.corpus for step in self.step)]
        return [name for name in named if name]


def variants(scenario: Scenario) -> list[Scenario]:
    """One scenario for each combination of what its room has several of, named after it."""
    room = scenario.room
    if not room.echo:
        return [scenario]
    axes = {key: _several(getattr(room, key)) for key in ("delay_ms", "level_db", "tail_ms")}
    told = [key for key, values in axes.items() if len(values) > 1]
    units = {"delay_ms": "ms", "level_db": "dB", "tail_ms": "ms tail"}
    made = []
    for values in itertools.product(*axes.values()):
        chosen = dict(zip(axes, values, strict=True))
        name = ", ".join(f"{chosen[key]:g} {units[key]}" for key in told)
        made.append(
            replace(
                scenario,
                name=f"{scenario.name} ({name})" if name else scenario.name,
                room=replace(room, **chosen),
            )
        )
    return made


def _several(value: float | tuple[float, ...]) -> tuple[float, ...]:
    return value if isinstance(value, tuple) else (value,)


def _first(value: float | tuple[float, ...]) -> float:
    return _several(value)[0]
