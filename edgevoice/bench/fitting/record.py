"""What `edgevoice fit` has measured of this machine, and what it reports.

Times are seconds, sizes bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from edgevoice.bench.result.device_record import Speeds

FORMAT, CHECK_FORMAT = "edgevoice fit", "edgevoice fit check"
VERSION = 1
"""Of both formats and of what is kept in the cache; a changed meaning raises it."""

How = Literal["measured", "shape", "part of a shape", "by size", "by the machine's speed"]
"""From its own file; from its shape's; from some layers of its shape; from the nearest model that
was measured, by the ratio of their sizes; from what the machine can do, and the share of it that
such a stage reaches as a rule."""

BUSY = 0.25
"""Cores that other programs took from which on they have disturbed what was measured."""

Batches = Mapping[int, Mapping[int, float]]
"""threads → tokens at once → seconds."""


class Problem(Struct, frozen=True, kw_only=True):
    """What could not be measured, or is not as it should be."""

    about: str
    what: str
    fix: str = ""


class Thinking(Struct, frozen=True, kw_only=True):
    """A language model: what batches of tokens cost. `model` is the one whose file was measured, or
    of whose shape it was a part.

    `file` is the size of its file, `size` of the weights that a batch reads, `cache` bytes that a
    position of the context takes; 0 is not known.
    `closing` is how many tokens close the question and open the reply, None where the tokenizer
    was not there. `mark` tells the file that was measured from a changed one.
    """

    model: str
    how: How
    file: int
    size: int
    batches: Batches
    cache: int = 0
    closing: int | None = None
    quantization: str = ""
    mark: str = ""


class Hearing(Struct, frozen=True, kw_only=True):
    """A recognizer: what reading a spoken question takes it, with the machine to itself (`alone`)
    and `beside` another reading and the language model at work."""

    model: str
    how: How
    size: int
    threads: int
    alone: float
    beside: float
    mark: str = ""


class Speaking(Struct, frozen=True, kw_only=True):
    """A voice: `first` is how long the first sound of a clause takes by its length in characters,
    beside a language model that writes on; `saying` how long a character is heard."""

    model: str
    how: How
    size: int
    threads: int
    first: Mapping[int, float]
    saying: float
    mark: str = ""


class Strain(Struct, frozen=True, kw_only=True):
    """How many times as long as by itself each stage takes in a turn, by `n` answers of `models`:
    `recognize` the recognizer, `think` the language model, `speak` the voice."""

    n: int
    models: tuple[str, ...]
    recognize: float = 1.0
    think: float = 1.0
    speak: float = 1.0


class Calibration(Struct, frozen=True, kw_only=True):
    """What was measured of one machine. `busy` is how many cores other programs took meanwhile."""

    version: int = VERSION
    machine: str
    described: str
    cores: int
    memory: int
    measured: str
    speeds: Speeds | None = None
    busy: float = 0.0
    thinking: tuple[Thinking, ...] = ()
    hearing: tuple[Hearing, ...] = ()
    speaking: tuple[Speaking, ...] = ()
    strain: Strain | None = None


class Prediction(Struct, frozen=True, kw_only=True):
    """The gap of a set of models: its p50, between what most answers fall, and p50 of each span.

    `tail` and `clause` are the tokens it was reckoned with: those that close a question, and those
    up to the end of the first clause; few, middle, many.
    """

    gap: float
    low: float
    high: float
    spans: Mapping[str, float]
    tail: tuple[int, int, int]
    clause: tuple[int, int, int]


class Choice(Struct, frozen=True, kw_only=True):
    """A set of models that could run here. `disk` is of all of them, `fetch` of those not here."""

    slm: str
    quantization: str
    stt: str
    tts: str
    threads: Mapping[str, int]
    how: Mapping[str, How]
    predicted: Prediction
    memory: int
    disk: int
    fetch: int
    missing: tuple[str, ...]
    meets: bool
    why: tuple[str, ...] = ()
    """What it exceeds: `gap`, `memory`, `disk`."""
    settings: Mapping[str, str | int] = field(default_factory=dict)
    """What must be set for it, by `section.key`."""


class Fit(Struct, frozen=True, kw_only=True):
    """What fits a budget; `choices` are the best first, and those that meet it before others."""

    format: str = FORMAT
    version: int = VERSION
    edgevoice: str
    budget: float
    memory: int
    calibration: Calibration
    choices: tuple[Choice, ...]
    best: Choice | None
    would: tuple[str, ...]
    problems: tuple[Problem, ...]


class Checked(Struct, frozen=True, kw_only=True):
    """A result of the bench beside what is predicted for its models.

    `error` is the predicted p50 less the measured one, as a share of that; `memory_error` likewise
    of the most memory the process took. `within` is the share of answers within the range.
    """

    file: str
    models: Mapping[str, str]
    how: Mapping[str, How]
    n: int
    predicted: Prediction
    measured: float
    spans: Mapping[str, float]
    error: float
    within: float
    memory: int
    peak_rss: int
    memory_error: float


class Check(Struct, frozen=True, kw_only=True):
    """How far predictions were off. `error` is the median of the runs' own, without their sign;
    `in_order` whether the runs come in the order of their predicted gaps, None of a single one."""

    format: str = CHECK_FORMAT
    version: int = VERSION
    edgevoice: str
    calibration: Calibration
    runs: tuple[Checked, ...]
    error: float
    largest: float
    in_order: bool | None
    problems: tuple[Problem, ...]
