"""All metrics; docs/reference/metrics.md is generated from this module.

Names and units follow OpenTelemetry. Prometheus names follow from them by the rule of the
OpenTelemetry collector, so that one dashboard serves both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgevoice.events import Role

MetricKind = Literal["counter", "gauge", "histogram"]
MetricUnit = Literal["s", "By", "1", "{token}/s", "{turn}", "{token}", "{time}", ""]

UNIT_SUFFIXES: dict[MetricUnit, str] = {"s": "_seconds", "By": "_bytes", "{token}/s": "_per_second"}
ROLE_VALUES: tuple[Role, ...] = ("vad", "stt", "slm", "tts", "turn")

RESPONSE_TIME_BUCKETS = (
    0.1,
    0.2,
    0.3,
    0.4,
    0.5,
    0.6,
    0.8,
    1.0,
    1.25,
    1.5,
    2.0,
    2.5,
    3.0,
    4.0,
    5.0,
    7.5,
    10.0,
)
DURATION_BUCKETS = (
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.2,
    0.3,
    0.5,
    0.75,
    1.0,
    1.5,
    2.0,
    3.0,
    5.0,
    10.0,
    30.0,
)
DECODE_RATE_BUCKETS = (1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0, 75.0, 100.0, 150.0)
PREFILL_RATE_BUCKETS = (10.0, 20.0, 40.0, 60.0, 100.0, 150.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0)
REAL_TIME_FACTOR_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric; `buckets` are the upper bounds of a histogram."""

    name: str
    unit: MetricUnit
    kind: MetricKind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    sole: bool = False
    """Whether only the series set last is valid, for example of the models in use."""
    customary: str = ""
    """Prometheus's conventional name, if it differs from the derived one."""

    @property
    def prometheus(self) -> str:
        """Its name for Prometheus."""
        if self.customary:
            return self.customary
        total = "_total" if self.kind == "counter" else ""
        return f"{self.name.replace('.', '_')}{UNIT_SUFFIXES.get(self.unit, '')}{total}"


TURNS = Metric(
    "edgevoice.turns",
    "{turn}",
    "counter",
    "Finished turns, by outcome and reason.",
    ("outcome", "reason"),
)
RESPONSE_TIME = Metric(
    "edgevoice.response_time",
    "s",
    "histogram",
    "Response time: end of the user's speech to the first sound of the reply.",
    ("origin",),
    RESPONSE_TIME_BUCKETS,
)
RESPONSE_TIME_SPAN = Metric(
    "edgevoice.response_time.span",
    "s",
    "histogram",
    "Part of the response time caused by one step; the parts add up to it.",
    ("span",),
    DURATION_BUCKETS,
)
STAGE = Metric(
    "edgevoice.stage.duration",
    "s",
    "histogram",
    "Working time of a stage, also while it delayed nothing.",
    ("stage",),
    DURATION_BUCKETS,
)
FIRST_TOKEN = Metric(
    "edgevoice.time_to_first_token",
    "s",
    "histogram",
    "From the start of the prompt to the first token of the reply.",
    (),
    DURATION_BUCKETS,
)
DECODE = Metric(
    "edgevoice.decode.tokens",
    "{token}/s",
    "histogram",
    "Tokens per second of a reply, after the first token.",
    (),
    DECODE_RATE_BUCKETS,
)
PREFILL = Metric(
    "edgevoice.prefill.tokens",
    "{token}/s",
    "histogram",
    "Tokens per second of the new part of a prompt.",
    (),
    PREFILL_RATE_BUCKETS,
)
STT_RTF = Metric(
    "edgevoice.stt.rtf.ratio",
    "1",
    "histogram",
    "Real-time factor of transcription.",
    (),
    REAL_TIME_FACTOR_BUCKETS,
)
TTS_RTF = Metric(
    "edgevoice.tts.rtf.ratio",
    "1",
    "histogram",
    "Real-time factor of synthesis.",
    (),
    REAL_TIME_FACTOR_BUCKETS,
)
TOKENS = Metric(
    "edgevoice.tokens",
    "{token}",
    "counter",
    "Tokens evaluated as prompt, found in the KV cache, or written as reply.",
    ("kind",),
)
FALSE_STARTS = Metric(
    "edgevoice.false_starts",
    "{time}",
    "counter",
    "Replies that were prepared and dropped because the user went on.",
)
UNDERRUNS = Metric(
    "edgevoice.underruns", "{time}", "counter", "Times the speaker ran out of audio within a reply."
)
OVERRUNS = Metric("edgevoice.overruns", "{time}", "counter", "Times microphone samples were lost.")
FAILURES = Metric(
    "edgevoice.stage.failures", "{time}", "counter", "Failures of a stage.", ("stage",)
)
DEVICE_ERRORS = Metric(
    "edgevoice.device.errors", "{time}", "counter", "Times a sound device was lost.", ("device",)
)
LOADING = Metric("edgevoice.engine.load", "s", "gauge", "Loading time of an engine.", ("role",))
READY = Metric(
    "edgevoice.ready",
    "",
    "gauge",
    "1 if it can answer at once; 0 otherwise, also without microphone or speaker.",
)
MODELS = Metric(
    "edgevoice.models.info",
    "",
    "gauge",
    "The models in use, by role; always 1.",
    ROLE_VALUES,
    sole=True,
)
BUILD = Metric(
    "edgevoice.build.info",
    "",
    "gauge",
    "Version and platform; always 1.",
    ("version", "platform"),
    sole=True,
)
CPU = Metric(
    "process.cpu.time",
    "s",
    "counter",
    "CPU time of this process.",
    customary="process_cpu_seconds_total",
)
MEMORY = Metric(
    "process.memory.usage",
    "By",
    "gauge",
    "Resident memory of this process.",
    customary="process_resident_memory_bytes",
)

CATALOG = (
    TURNS, RESPONSE_TIME, RESPONSE_TIME_SPAN, STAGE, FIRST_TOKEN, DECODE, PREFILL, STT_RTF, TTS_RTF,
    TOKENS, FALSE_STARTS, UNDERRUNS, OVERRUNS, FAILURES, DEVICE_ERRORS, LOADING, READY, MODELS,
    BUILD, CPU, MEMORY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of a metric, to be added, set or observed by the metric's kind.

    `labels` are the values of the metric's labels, in order.
    """

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()
