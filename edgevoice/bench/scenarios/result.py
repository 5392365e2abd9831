"""The result of scenarios, as one JSON file; docs/reference/formats.md documents every field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from edgevoice.bench.result.result import Figures, RunRecord
from edgevoice.bench.scenarios.room_response import Acoustics
from edgevoice.bench.scenarios.scenario import StepEffect
from edgevoice.versioned import FileFormat

FORMAT = "edgevoice turns"
VERSION = 1
"""Raised by a change that an old reader would misread."""

Ended = Literal["silenced", "late", "not heard", "nothing to interrupt"]
"""The outcome of an interrupted reply; `late`: it ended before it could be stopped."""


class LineOutcome(Struct, frozen=True, kw_only=True):
    """One step that was said, typed or played, and its outcome. Session times, in seconds."""

    step: int
    """Number of the step, from 0."""
    part: StepEffect
    """What the step had to cause."""
    what: str
    """The words, the file or the noise."""
    began: float
    """First voiced sample at the microphone."""
    ended: float
    """Last voiced sample."""
    recognized: str = ""
    """The transcript."""
    reply: str = ""
    """The generated text."""
    heard: str = ""
    """The part of the reply that is remembered as played."""
    answered_after: float | None = None
    """Seconds from `ended` to the first audible sample of the reply."""
    cut_off: bool = False
    """Whether a turn was committed before `ended`."""
    missed: bool = False
    """Whether a required answer is missing."""
    reply_outcome: Ended | None = None
    """For an interruption: what became of the interrupted reply."""
    noticed_after: float | None = None
    """Seconds from `began` to the pause of the reply, or to its end if it never paused."""
    silent_after: float | None = None
    """Seconds from `began` to the last audible sample of the reply, in the recording."""
    silent_after_noticed: float | None = None
    """The same from `noticed_after` on; 0 if it was silent before."""


class StrayAnswer(Struct, frozen=True, kw_only=True):
    """An answer without a question. Session time, in seconds."""

    at: float
    """Start of the turn."""
    recognized: str
    """The transcript."""
    reply: str
    """The reply."""
    own: bool
    """Whether the assistant answered itself."""


class ScenarioCounts(Struct, frozen=True, kw_only=True):
    """Counts of events, good and bad."""

    answers: int = 0
    """Turns with an audible reply."""
    questions: int = 0
    """Questions asked."""
    interruptions: int = 0
    """Steps that should stop a reply."""
    replies: int = 0
    """Replies played, in whole or in part."""
    resumed: int = 0
    """Replies that paused and continued."""
    missed: int = 0
    """Questions and interruptions without an answer."""
    cut_offs: int = 0
    """Questions answered before their end."""
    false_starts: int = 0
    """Turns that started without speech to the assistant."""
    false_answers: int = 0
    """False starts that were answered, without `self_answers`."""
    self_answers: int = 0
    """False starts in which the assistant answered itself."""
    false_interruptions: int = 0
    """Replies that ended early without an interruption."""
    not_heard: int = 0
    """Interruptions that did not stop the reply."""


class ScenarioOutcome(Struct, frozen=True, kw_only=True):
    """One run of one scenario."""

    name: str
    """Name of the scenario, with delay and level where there are several."""
    file: str
    """File name."""
    repeat: int
    """Number of the repetition, from 1."""
    at: float
    """Start."""
    seconds: float
    """Duration."""
    failed: tuple[str, ...]
    """Unmet expectations; empty if it passed."""
    counts: ScenarioCounts
    """Counts of this scenario."""
    lines: tuple[LineOutcome, ...]
    """Everything said, typed or played."""
    unasked: tuple[StrayAnswer, ...] = ()
    """Answers without a question."""
    settings: Mapping[str, Any] = {}
    """Changed settings, by `section.key`."""
    way: Acoustics | None = None
    """How the microphone heard the speaker; null: not at all."""


class ScenarioTotals(Struct, frozen=True, kw_only=True):
    """All scenarios together."""

    scenarios: int
    """Scenarios run."""
    passed: int
    """Scenarios passed."""
    counts: ScenarioCounts
    """Sum of all counts."""
    seconds: float
    """Total duration."""
    listened: float
    """Seconds of the scenarios without questions."""
    false_answers_per_hour: float | None
    """False answers per hour of these; null without any."""
    noticed_after: Figures | None = None
    """Statistics over all lines."""
    silent_after: Figures | None = None
    """Statistics over all lines."""
    silent_after_noticed: Figures | None = None
    """Statistics over all lines."""
    answered_after: Figures | None = None
    """Statistics over all lines."""


class ScenariosResult(RunRecord, frozen=True, kw_only=True):
    """A whole run of scenarios."""

    format: str = FORMAT
    """Always `edgevoice turns`."""
    version: int = VERSION
    """Version of the format."""
    hears: str
    """Device that records what the speaker plays."""
    speaks: str
    """Device that the microphone hears."""
    loop: Acoustics | None
    """Delay, level and tail that the devices themselves add; null if not measured."""
    totals: ScenarioTotals
    """All scenarios together."""
    outcomes: tuple[ScenarioOutcome, ...]
    """Each scenario, each repetition."""


SCENARIOS_FORMAT = FileFormat(
    ScenariosResult,
    FORMAT,
    VERSION,
    noun="result of scenarios",
    missing="write one with `edgevoice bench turns --json FILE`",
    newer="update edgevoice, or run the scenarios again",
    damaged="run the scenarios again",
)


def read(path: Path) -> ScenariosResult:
    """The result in a file. Raises UsageError for another file, or a newer version."""
    return SCENARIOS_FORMAT.read(path)


def added(counts: Sequence[ScenarioCounts]) -> ScenarioCounts:
    """The sum of all counts."""
    return ScenarioCounts(
        **{name: sum(getattr(c, name) for c in counts) for name in ScenarioCounts.__struct_fields__}
    )
