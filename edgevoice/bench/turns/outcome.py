"""What came of scenarios, as one JSON file. docs/turns.md documents every field and its unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from edgevoice.bench.result import Figures, Machine, Model
from edgevoice.bench.turns.scenario import Part
from edgevoice.versioned import Format

FORMAT = "edgevoice turns"
VERSION = 1
"""A change that an old reader would misread raises it."""

Ended = Literal["silenced", "late", "not heard", "nothing to interrupt"]
"""What became of a reply that was interrupted; `late`: it was over before it could be."""


class Line(Struct, frozen=True, kw_only=True):
    """Something that was said, typed or sounded, and what came of it. Session times, in seconds;
    `began` and `ended` are those of the first and the last voiced sample."""

    step: int
    part: Part
    what: str
    began: float
    ended: float
    recognized: str = ""
    reply: str = ""
    heard: str = ""
    answered_after: float | None = None
    cut_off: bool = False
    missed: bool = False
    reply_outcome: Ended | None = None
    noticed_after: float | None = None
    silent_after: float | None = None
    silent_after_noticed: float | None = None


class Answer(Struct, frozen=True, kw_only=True):
    """An answer that nobody asked for; `own`: to what it had said itself. Session time."""

    at: float
    recognized: str
    reply: str
    own: bool


class Counts(Struct, frozen=True, kw_only=True):
    """How often what went wrong. Replies, interruptions and answers beside what of them did."""

    answers: int = 0
    questions: int = 0
    interruptions: int = 0
    replies: int = 0
    resumed: int = 0
    missed: int = 0
    cut_offs: int = 0
    false_starts: int = 0
    false_answers: int = 0
    self_answers: int = 0
    false_interruptions: int = 0
    not_heard: int = 0


class Way(Struct, frozen=True, kw_only=True):
    """How the microphone heard the speaker: seconds from the one to the other as the assistant's
    own devices see it, dB, and seconds of echo tail."""

    delay: float
    level: float
    tail: float


class Outcome(Struct, frozen=True, kw_only=True):
    """One scenario, once. `failed` says what was not as it must be; empty: it passed."""

    name: str
    file: str
    repeat: int
    at: float
    seconds: float
    failed: tuple[str, ...]
    counts: Counts
    lines: tuple[Line, ...]
    unasked: tuple[Answer, ...] = ()
    settings: Mapping[str, Any] = {}
    way: Way | None = None
    late: int = 0
    moved: int = 0
    dry: int = 0


class Totals(Struct, frozen=True, kw_only=True):
    """All of it. `listened` is seconds in which nobody spoke to it for whole scenarios."""

    scenarios: int
    passed: int
    counts: Counts
    seconds: float
    listened: float
    false_answers_per_hour: float | None
    noticed_after: Figures | None = None
    silent_after: Figures | None = None
    silent_after_noticed: Figures | None = None
    answered_after: Figures | None = None


class Turns(Struct, frozen=True, kw_only=True):
    """A whole run of scenarios."""

    format: str = FORMAT
    version: int = VERSION
    edgevoice: str
    started: str
    seconds: float
    interrupted: bool
    left_out: tuple[str, ...]
    input: str
    output: str
    hears: str
    speaks: str
    loop: Way | None
    models: Mapping[str, Model]
    settings: Mapping[str, Any]
    libraries: Mapping[str, str]
    machine: Machine
    totals: Totals
    outcomes: tuple[Outcome, ...]


WRITTEN = Format(
    Turns,
    FORMAT,
    VERSION,
    noun="result of scenarios",
    missing="write one with `edgevoice bench turns --json FILE`",
    newer="update edgevoice, or run the scenarios again",
    damaged="run the scenarios again",
)


def read(path: Path) -> Turns:
    """A result that was written. Raises UsageError where it is none, or a newer one's."""
    return WRITTEN.read(path)


def added(counts: Sequence[Counts]) -> Counts:
    """All of them together."""
    return Counts(
        **{name: sum(getattr(c, name) for c in counts) for name in Counts.__struct_fields__}
    )
