"""The result of a bench, as one JSON file; docs/reference/formats.md documents every field."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from edgevoice import files
from edgevoice.bench.result.device_record import Idle, Roofline, Sample, Speeds, Start
from edgevoice.bench.result.soak_record import Soak
from edgevoice.encoding import json_bytes
from edgevoice.versioned import Format

FORMAT = "edgevoice bench"
VERSION = 1
"""A change that an old reader would misread raises it."""

Reference = Literal["human", "pseudo", "written", ""]
AS_SET = "as set"
"""The variant that runs with the settings as they are."""

BASELINE = "plain sequence"
"""The variant that does one thing after the other."""


class BenchTurn(Struct, frozen=True, kw_only=True):
    """One question and its outcome. Times are seconds."""

    variant: str
    """The variant that answered."""
    question: str
    """File name of the recording, or the synthesized words."""
    said: str = ""
    """The words said, where known."""
    reference: Reference = ""
    """Source of `said`: `human`, `pseudo` (another recognizer), `written` (synthesized) or
    empty."""
    warm_up: bool = False
    """Whether the turn is a warm-up, which no summary counts."""
    clip_seconds: float = 0.0
    """Length of the recording in seconds."""
    asked_at: float = 0.0
    """Session time at which its first sample reached the microphone."""
    gap: float | None = None
    """Response time in seconds; null if no reply was audible."""
    spans: Mapping[str, float] = field(default_factory=dict)
    """Seconds of each span, in order; they add up to the response time."""
    recognized: str = ""
    """The transcript. For a question that was cut in parts, all parts."""
    reply: str = ""
    """The text that the language model generated."""
    ttft: float | None = None
    """Seconds from the start of the prompt to the first token."""
    tokens_per_second: float | None = None
    """Generation rate after the first token; null for replies under two tokens."""
    prompt_tokens: int = 0
    """Length of the prompt."""
    reused_tokens: int = 0
    """Prompt tokens that were in the KV cache before the question was complete."""
    reply_tokens: int = 0
    """Length of the reply."""
    underruns: int = 0
    """Number of times the speaker ran out of audio."""
    replaced: int = 0
    """False starts: replies that were prepared and dropped because the user went on."""
    cut_off: bool = False
    """Whether the turn was committed before the speaker had finished."""
    dropped: str = ""
    """Why there was no audible reply; empty if there was one."""
    end_error: float | None = None
    """Detected last voiced sample minus the recording's own, in seconds."""
    words: int | None = None
    """Number of words said; null where unknown."""
    word_errors: int | None = None
    """Words recognized wrongly, left out or inserted."""
    prefill_rate: float | None = None
    """Tokens per second at which the new part of the prompt was evaluated. Small batches cost more
    per token."""
    read_seconds: float | None = None
    """Seconds of audio in the transcription that became the question."""
    stt_rtf: float | None = None
    """Real-time factor of that transcription: seconds of work per second of audio."""
    sound_seconds: float | None = None
    """Seconds of synthesized audio."""
    tts_rtf: float | None = None
    """Real-time factor of synthesis: seconds of work per second of audio."""
    words_per_minute: float | None = None
    """Speaking rate of the reply; null if it was interrupted."""
    cpu_seconds: float | None = None
    """CPU time of the process from the first sample of the question until it was idle again; null
    if not measured."""
    energy: float | None = None
    """Joules used by the processor in the same time; null without RAPL counters."""

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
    """Statistics of a quantity, in its own unit.

    The confidence intervals are null where there are too few turns, or in files of older versions.
    """

    n: int
    """Number of values."""
    p50: float
    """Median, interpolated."""
    p95: float
    """95th percentile, interpolated."""
    mean: float
    """Arithmetic mean."""
    p90: float | None = None
    """90th percentile, interpolated."""
    p99: float | None = None
    """99th percentile; with under 100 turns it is close to the maximum."""
    p50_low: float | None = None
    """Lower end of the median's 95 % confidence interval; null under 6 turns."""
    p50_high: float | None = None
    """Upper end of that interval."""
    p90_low: float | None = None
    """Lower end for the 90th percentile; null under 29 turns."""
    p90_high: float | None = None
    """Upper end of that interval."""
    p95_low: float | None = None
    """Lower end for the 95th percentile; null under 59 turns."""
    p95_high: float | None = None
    """Upper end of that interval."""
    p99_low: float | None = None
    """Lower end for the 99th percentile; null under 299 turns."""
    p99_high: float | None = None
    """Upper end of that interval."""


class Summary(Struct, frozen=True, kw_only=True):
    """All turns of a variant, without warm-ups. Statistics are of answered turns that were not cut
    off."""

    turns: int
    """Questions asked."""
    answered: int
    """Questions with an audible reply."""
    cut_off: int
    """Questions whose turn was committed before the speaker had finished."""
    dropped: int
    """Questions without an audible reply."""
    underruns: int
    """Times the speaker ran out of audio within a reply."""
    replaced: int
    """False starts: prepared replies that were dropped because the user went on."""
    gap: Figures | None
    """Response time in seconds; null without answers."""
    spans: Mapping[str, Figures]
    """Seconds of each span by name, in order."""
    ttft: Figures | None
    """Seconds from the start of the prompt to the first token."""
    tokens_per_second: Figures | None
    """Generation rate after the first token."""
    words: int
    """Words said, where known."""
    word_errors: int
    """Words recognized wrongly, left out or inserted."""
    wer: float | None
    """`word_errors` as a share of `words`; null where none are known."""
    prefill_rate: Figures | None = None
    """Prefill rate in tokens per second."""
    stt_rtf: Figures | None = None
    """Real-time factor of transcription."""
    tts_rtf: Figures | None = None
    """Real-time factor of synthesis."""
    words_per_minute: Figures | None = None
    """Speaking rate of the replies."""
    cpu_seconds: Figures | None = None
    """CPU time per turn, in seconds."""
    energy: Figures | None = None
    """Joules per turn."""


class Variant(Struct, frozen=True, kw_only=True):
    """One way of answering, with the summary of its turns."""

    name: str
    """For example `as set`, `plain sequence`, the technique that was off, `cold start`, `warm
    start`, `barge-in` or `as kept`."""
    settings: Mapping[str, Any]
    """Settings that differ from those of the result."""
    summary: Summary
    """Summary of all its turns."""


class Ratio(Struct, frozen=True, kw_only=True):
    """How many times as long the plain sequence takes."""

    n: int
    """Questions that both variants answered."""
    of_questions: float
    """Median of the per-question ratios."""
    of_p50: float
    """Ratio of the two medians."""


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
    """The model that was measured."""
    quantity: str
    """The measured quantity."""
    unit: str
    """Unit of the values."""
    per: str
    """The unit of work that each value belongs to."""
    figures: Figures
    """Statistics of all values."""
    deviation: float | None = None
    """Standard deviation of the values of `pp512` and `tg128`, as llama-bench reports it."""


class Machine(Struct, frozen=True, kw_only=True):
    """The machine."""

    cpu: str
    """Processor name."""
    cores: int
    """Physical cores."""
    logical_cores: int
    """Logical cores."""
    usable_cores: int
    """Physical cores that the process may use."""
    memory: int
    """Memory of the machine or its container, in bytes."""
    system: str
    """Operating system, its version, and the architecture."""
    python: str
    """Python version."""
    load_before: float | None
    """Load average over the minute before; null where there is none."""
    load_after: float | None
    """Load average over the last minute."""
    distribution: str | None = None
    """Name of the Linux distribution; null elsewhere."""
    caches: Mapping[str, int] | None = None
    """Bytes of one L1d, L2 and L3 cache of the first usable core; null where unknown."""
    instructions: tuple[str, ...] | None = None
    """Instruction sets that matter to models, for example AVX2; null where unknown."""
    governor: str | None = None
    """CPU frequency governor (Linux); null where there is none."""
    llama: str | None = None
    """Build information of llama.cpp; null where it is not installed."""
    speeds: Speeds | None = None
    """Measured limits of the machine; null where not measured."""


class BenchResult(Struct, frozen=True, kw_only=True):
    """A result of the bench."""

    format: str = FORMAT
    """Always `edgevoice bench`."""
    version: int = VERSION
    """Version of the format."""
    command: str
    """`run`, `starts`, `stages`, `switches`, `pauses`, `recognition`, `replay` or `soak`."""
    edgevoice: str
    """Version of the program."""
    started: str
    """ISO 8601 local time."""
    seconds: float
    """Duration of the bench."""
    interrupted: bool
    """Whether it was stopped or failed before its end."""
    questions: str
    """Folder or file of the questions, or a note that they are built in."""
    left_out: tuple[str, ...]
    """Recordings that could not be used; for `switches`, also techniques."""
    input: str
    """Microphone."""
    output: str
    """Speaker."""
    played_to: str
    """Device to which the questions were played; empty: directly into capture."""
    conversation: bool
    """Whether all questions formed one conversation."""
    models: Mapping[str, Model]
    """The model of each role."""
    settings: Mapping[str, Any]
    """Settings that differ from their defaults, except `models.folder` and `recordings.folder`."""
    libraries: Mapping[str, str]
    """Versions of the libraries that do the work."""
    machine: Machine
    """The machine it ran on."""
    peak_rss: int
    """Highest memory of the process in bytes; for `starts`, of any of them when ready."""
    variants: tuple[Variant, ...]
    """The variants that were measured."""
    ratio: Ratio | None
    """Response time of the plain sequence relative to the pipeline; null without `--baseline`."""
    turns: tuple[BenchTurn, ...]
    """Every question, in the order asked."""
    steady_rss: int | None = None
    """Median memory over the second half, in bytes; null with under 4 samples, and for `starts`."""
    idle: Idle | None = None
    """Cost of waiting for a question; null where not measured."""
    roofline: Roofline | None = None
    """Each stage compared with the machine's limits; null without them."""
    sensors: Mapping[str, str | None] | None = None
    """Source of `temperature`, `clock`, `throttled` and `energy`; null where the machine has
    none."""
    samples: tuple[Sample, ...] = ()
    """The machine, once a second."""
    soak: Soak | None = None
    """Verdict and course of a soak; null for any other bench."""
    stages: tuple[StageFigures, ...] = ()
    """For `stages`: every quantity of each stage."""
    starts: tuple[Start, ...] = ()
    """For `starts`: every counted start."""


def encoded(result: Struct) -> str:
    """A result, or what was made of some, as indented JSON with a newline at its end."""
    return msgspec.json.format(json_bytes(result), indent=1).decode() + "\n"


def write(path: Path, result: BenchResult, option: str = "--json FILE") -> None:
    """Write the result, whole or not at all; `option` names another place. Raises StorageError."""
    files.deliver(path, [encoded(result)], "the result", option)


WRITTEN = Format(
    BenchResult,
    FORMAT,
    VERSION,
    noun="result of the bench",
    missing="write one with `edgevoice bench run --json FILE`",
    newer="update edgevoice, or run the bench again",
    damaged="run the bench again",
)


def read(path: Path) -> BenchResult:
    """A result that was written. Raises UsageError where it is none, or a newer one's."""
    return WRITTEN.read(path)
