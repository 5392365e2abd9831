"""The result of a bench, as one JSON file; docs/reference/formats.md documents every field."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from edgevoice import compatibility, files
from edgevoice.bench.result.device_record import Roofline, Sample, Speeds, Start
from edgevoice.bench.result.soak_record import Soak
from edgevoice.encoding import json_bytes
from edgevoice.versioned import FileFormat

FORMAT = "edgevoice bench"
VERSION = 2
"""A change that an old reader would misread raises it."""

ReferenceKind = Literal["human", "pseudo", "written", ""]
AS_SET = "as set"
"""The variant with the settings as they are."""


class BenchTurn(Struct, frozen=True, kw_only=True):
    """One question and its outcome. Times are seconds. Null: unknown or not measured."""

    variant: str
    question: str
    """File name of the recording, or the synthesized words."""
    said: str = ""
    """The words said, where known."""
    reference: ReferenceKind = ""
    """Source of `said`: a person, another recognizer, or the synthesized text."""
    warm_up: bool = False
    """Warm-ups are in no summary."""
    clip_seconds: float = 0.0
    asked_at: float = 0.0
    """Session time at which its first sample reached the microphone."""
    response_time: float | None = None
    """Last voiced sample of the question to the first audible sample of the reply; null if no reply
    was audible."""
    spans: Mapping[str, float] = field(default_factory=dict)
    """Seconds of each span, in order; they add up to the response time."""
    transcript: str = ""
    """For a question that was cut in parts, of all parts."""
    reply: str = ""
    """The text that the language model generated."""
    ttft: float | None = None
    """Seconds from the start of the prompt to the first token."""
    tokens_per_second: float | None = None
    """Generation rate after the first token."""
    prompt_tokens: int = 0
    reused_tokens: int = 0
    """Prompt tokens that were in the KV cache before the question was complete."""
    reply_tokens: int = 0
    underruns: int = 0
    """Number of times the speaker ran out of audio within the reply."""
    false_starts: int = 0
    """Replies that were prepared and dropped because the user went on."""
    cut_off: bool = False
    """Whether the turn was committed before the speaker had finished."""
    dropped: str = ""
    """Why there was no audible reply; empty if there was one."""
    end_error: float | None = None
    """Detected last voiced sample minus the recording's own."""
    words: int | None = None
    """Number of words said."""
    word_errors: int | None = None
    """Words recognized wrongly, left out or inserted."""
    prefill_rate: float | None = None
    """Tokens per second of the new part of the prompt; small batches cost more per token."""
    read_seconds: float | None = None
    """Seconds of audio in the transcription that became the question."""
    stt_rtf: float | None = None
    """Real-time factor of that transcription: seconds of work per second of audio."""
    sound_seconds: float | None = None
    """Seconds of synthesized audio."""
    tts_rtf: float | None = None
    """Real-time factor of synthesis."""
    words_per_minute: float | None = None
    """Speaking rate of the reply; null if it was interrupted."""
    cpu_seconds: float | None = None
    """CPU time from the first sample of the question until the process was idle again."""
    energy: float | None = None
    """Joules of the processor in the same time, from RAPL counters."""

    @property
    def counts(self) -> bool:
        """Whether its response time is in the statistics."""
        return self.response_time is not None and not self.cut_off and not self.warm_up

    @property
    def timed(self) -> bool:
        """Whether its spans and rates are in the statistics, also in a bench without answers."""
        measured = self.response_time is not None or bool(self.spans)
        return measured and not self.cut_off and not self.warm_up


class Figures(Struct, frozen=True, kw_only=True):
    """Statistics of a quantity, in its own unit.

    `p50` is a value that was measured: of an even number, the lower one in the middle. The other
    percentiles are interpolated.

    `_low` and `_high` are the ends of a percentile's 95 % confidence interval. They are null with
    too few values: p50 takes 6, p90 29, p95 59 and p99 299. With under 100 values, p99 is close to
    the maximum.
    """

    n: int
    """Number of values."""
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
    """All turns of a variant, without warm-ups.

    Statistics are of answered turns that were not cut off. A field with the name of a turn's field
    is its sum or its statistics; null: not measured.
    """

    turns: int
    """Questions asked."""
    answered: int
    """Questions with an audible reply."""
    cut_off: int
    """Turns committed before the speaker had finished."""
    dropped: int
    """Questions without an audible reply."""
    underruns: int
    false_starts: int
    response_time: Figures | None
    spans: Mapping[str, Figures]
    ttft: Figures | None
    tokens_per_second: Figures | None
    words: int
    word_errors: int
    wer: float | None
    """`word_errors` as a share of `words`."""
    prefill_rate: Figures | None = None
    stt_rtf: Figures | None = None
    tts_rtf: Figures | None = None
    words_per_minute: Figures | None = None
    cpu_seconds: Figures | None = None
    energy: Figures | None = None


class Variant(Struct, frozen=True, kw_only=True):
    """One way of answering, with the summary of its turns."""

    name: str
    """For example `as set`, `cold start`, `warm start`, `barge-in` or `as recorded`."""
    settings: Mapping[str, Any]
    """Settings that differ from those of the result."""
    summary: Summary


class Model(Struct, frozen=True, kw_only=True):
    """A model that ran."""

    name: str
    """Name in `edgevoice models list`."""
    shape: bool
    """Whether it is a synthetic model: true dimensions, random weights, and a prescribed reply."""
    sha256: Mapping[str, str] | None = None
    """Verified hash of each file; null where the catalog has none."""


class StageFigures(Struct, frozen=True, kw_only=True):
    """One quantity of a stage that was measured alone."""

    stage: str
    """`vad`, `endpoint`, `stt`, `llm` or `tts`."""
    model: str
    quantity: str
    unit: str
    per: str
    """The unit of work that each value belongs to."""
    figures: Figures
    deviation: float | None = None
    """Standard deviation of the values of `pp512` and `tg128`, as llama-bench reports it."""


class Machine(Struct, frozen=True, kw_only=True):
    """The machine. Null: unknown, or not on this system."""

    cpu: str
    cores: int
    """Physical cores."""
    logical_cores: int
    usable_cores: int
    """Physical cores that the process may use."""
    memory: int
    """Memory of the machine or its container, in bytes."""
    system: str
    """Operating system, its version, and the architecture."""
    python: str
    load_before: float | None
    """Load average over the minute before."""
    load_after: float | None
    """Load average over the last minute."""
    governor: str | None = None
    """CPU frequency governor of Linux."""
    speeds: Speeds | None = None


class RunRecord(Struct, frozen=True, kw_only=True):
    """What ran, when and on which machine."""

    edgevoice: str
    """Version of the program."""
    started: str
    """ISO 8601 local time."""
    seconds: float
    """Duration."""
    interrupted: bool
    """Whether it was stopped or failed before its end."""
    left_out: tuple[str, ...]
    """Recordings, stages or scenarios that could not be used."""
    input: str
    """Microphone."""
    output: str
    """Speaker."""
    models: Mapping[str, Model]
    """The model of each role."""
    settings: Mapping[str, Any]
    """Settings that differ from their defaults, except `models.folder` and `recordings.folder`."""
    libraries: Mapping[str, str]
    """Versions of the libraries that do the work."""
    machine: Machine


class BenchResult(RunRecord, frozen=True, kw_only=True):
    """A result of the bench. Null: not measured, or not on this system."""

    format: str = FORMAT
    version: int = VERSION
    command: str
    """`run`, `starts`, `stages`, `replay` or `soak`."""
    questions: str
    """Folder or file of the questions, or a note that they are built in."""
    played_to: str
    """Device to which the questions were played; empty: directly into capture."""
    conversation: bool
    """Whether all questions formed one conversation."""
    peak_rss: int
    """Highest memory of the process in bytes; for `starts`, of any of them when ready."""
    variants: tuple[Variant, ...]
    turns: tuple[BenchTurn, ...]
    """Every question, in the order asked."""
    steady_rss: int | None = None
    """Median memory over the second half, in bytes; null with under 4 samples, and for `starts`."""
    roofline: Roofline | None = None
    sensors: Mapping[str, str | None] | None = None
    """Source of `temperature`, `clock`, `throttled` and `energy`."""
    samples: tuple[Sample, ...] = ()
    """The machine, once a second."""
    soak: Soak | None = None
    stages: tuple[StageFigures, ...] = ()
    """For `stages`: every quantity of each stage."""
    starts: tuple[Start, ...] = ()
    """For `starts`: every counted start."""


def encoded(result: Struct) -> str:
    """A result as indented JSON."""
    return msgspec.json.format(json_bytes(result), indent=1).decode() + "\n"


def write(path: Path, result: BenchResult, option: str = "--json FILE") -> None:
    """Write the result, whole or not at all. Raises StorageError, whose remedy names `option`."""
    files.deliver(path, [encoded(result)], "the result", option)


RESULT_FORMAT = FileFormat(
    BenchResult,
    FORMAT,
    VERSION,
    noun="result of the bench",
    missing="write one with `edgevoice bench run --json FILE`",
    newer="update edgevoice, or run the bench again",
    damaged="run the bench again",
    upgrade=compatibility.result,
)


def read(path: Path) -> BenchResult:
    """A result. Raises UsageError for another file, a damaged one or a newer version."""
    return RESULT_FORMAT.read(path)
