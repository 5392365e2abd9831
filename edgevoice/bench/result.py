"""What a bench found, as one JSON file. docs/bench.md documents every field and its unit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from edgevoice import files
from edgevoice.bench.endurance import Soak
from edgevoice.bench.record import Idle, Roofline, Sample, Speeds, Start
from edgevoice.encoding import json_bytes
from edgevoice.versioned import Format

FORMAT = "edgevoice bench"
VERSION = 1
"""A change that an old reader would misread raises it."""

Reference = Literal["human", "pseudo", "written", ""]
AS_SET = "as set"
"""The variant that runs with the settings as they are."""


class Turn(Struct, frozen=True, kw_only=True):
    """One question and what became of it. Times are seconds."""

    variant: str
    question: str
    said: str = ""
    reference: Reference = ""
    warm_up: bool = False
    clip_seconds: float = 0.0
    asked_at: float = 0.0
    gap: float | None = None
    spans: Mapping[str, float] = field(default_factory=dict)
    recognized: str = ""
    reply: str = ""
    ttft: float | None = None
    tokens_per_second: float | None = None
    prompt_tokens: int = 0
    reused_tokens: int = 0
    reply_tokens: int = 0
    underruns: int = 0
    replaced: int = 0
    cut_off: bool = False
    dropped: str = ""
    end_error: float | None = None
    words: int | None = None
    word_errors: int | None = None
    prefill_rate: float | None = None
    read_seconds: float | None = None
    stt_rtf: float | None = None
    sound_seconds: float | None = None
    tts_rtf: float | None = None
    words_per_minute: float | None = None
    cpu_seconds: float | None = None
    energy: float | None = None

    @property
    def counts(self) -> bool:
        """Whether its gap goes into the percentiles: answered, in one piece, and not to warm up."""
        return self.gap is not None and not self.cut_off and not self.warm_up

    @property
    def timed(self) -> bool:
        """Whether its spans and rates are measured: as `counts`, or in a bench without answers."""
        alone = self.gap is None and bool(self.spans) and not self.cut_off and not self.warm_up
        return self.counts or alone


class Figures(Struct, frozen=True, kw_only=True):
    """A quantity over `n` turns, in its own unit.

    Between `p50_low` and `p50_high` the true median lies with 95 % confidence, likewise the others;
    None where there are too few turns to tell, or where an older program wrote the file.
    """

    n: int
    p50: float
    p95: float
    mean: float
    p90: float | None = None
    p99: float | None = None
    p50_low: float | None = None
    p50_high: float | None = None
    p90_low: float | None = None
    p90_high: float | None = None
    p95_low: float | None = None
    p95_high: float | None = None
    p99_low: float | None = None
    p99_high: float | None = None


class Summary(Struct, frozen=True, kw_only=True):
    """All turns of one variant, warm-ups left out. Counts are of turns, but for `underruns`."""

    turns: int
    answered: int
    cut_off: int
    dropped: int
    underruns: int
    replaced: int
    gap: Figures | None
    spans: Mapping[str, Figures]
    ttft: Figures | None
    tokens_per_second: Figures | None
    words: int
    word_errors: int
    wer: float | None
    prefill_rate: Figures | None = None
    stt_rtf: Figures | None = None
    tts_rtf: Figures | None = None
    words_per_minute: Figures | None = None
    cpu_seconds: Figures | None = None
    energy: Figures | None = None


class Variant(Struct, frozen=True, kw_only=True):
    """One way of answering; `settings` are those in which it differs from the run's own."""

    name: str
    settings: Mapping[str, Any]
    summary: Summary


class Ratio(Struct, frozen=True, kw_only=True):
    """How many times as long the plain sequence takes: the median over `n` questions of each
    question's own ratio, and the ratio of the two p50."""

    n: int
    of_questions: float
    of_p50: float


class Model(Struct, frozen=True, kw_only=True):
    """A model that ran; a `shape` has a model's dimensions and random weights.

    `sha256` is that of each of its files.
    """

    name: str
    shape: bool
    sha256: Mapping[str, str] | None = None


class Alone(Struct, frozen=True, kw_only=True):
    """One quantity of a stage that was measured by itself; `unit` is its own, for each `per`."""

    stage: str
    model: str
    quantity: str
    unit: str
    per: str
    figures: Figures


class Machine(Struct, frozen=True, kw_only=True):
    """What it ran on; `memory` in bytes, `load_*` the system's load average over a minute."""

    cpu: str
    cores: int
    logical_cores: int
    usable_cores: int
    memory: int
    system: str
    python: str
    load_before: float | None
    load_after: float | None
    distribution: str | None = None
    caches: Mapping[str, int] | None = None
    instructions: tuple[str, ...] | None = None
    governor: str | None = None
    llama: str | None = None
    speeds: Speeds | None = None


class Result(Struct, frozen=True, kw_only=True):
    """A whole bench."""

    format: str = FORMAT
    version: int = VERSION
    command: str
    edgevoice: str
    started: str
    seconds: float
    interrupted: bool
    questions: str
    left_out: tuple[str, ...]
    input: str
    output: str
    played_to: str
    conversation: bool
    models: Mapping[str, Model]
    settings: Mapping[str, Any]
    libraries: Mapping[str, str]
    machine: Machine
    peak_rss: int
    variants: tuple[Variant, ...]
    ratio: Ratio | None
    turns: tuple[Turn, ...]
    steady_rss: int | None = None
    idle: Idle | None = None
    roofline: Roofline | None = None
    sensors: Mapping[str, str | None] | None = None
    samples: tuple[Sample, ...] = ()
    soak: Soak | None = None
    stages: tuple[Alone, ...] = ()
    starts: tuple[Start, ...] = ()


def encoded(result: Struct) -> str:
    """A result, or what was made of some, as indented JSON with a newline at its end."""
    return msgspec.json.format(json_bytes(result), indent=1).decode() + "\n"


def write(path: Path, result: Result, option: str = "--json FILE") -> None:
    """Write the result, whole or not at all; `option` names another place. Raises StorageError."""
    files.deliver(path, [encoded(result)], "the result", option)


WRITTEN = Format(
    Result,
    FORMAT,
    VERSION,
    noun="result of the bench",
    missing="write one with `edgevoice bench run --json FILE`",
    newer="update edgevoice, or run the bench again",
    damaged="run the bench again",
)


def read(path: Path) -> Result:
    """A result that was written. Raises UsageError where it is none, or a newer one's."""
    return WRITTEN.read(path)
