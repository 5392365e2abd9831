"""What `edgevoice fit` measured, and what it chose. Times are seconds, sizes bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

FORMAT = "edgevoice fit"
VERSION = 2
"""Raised when the meaning of a field changes. Version 1 held predictions."""

Limit = Literal["response time", "memory", "disk", "answers"]
"""What a set of models exceeds; `answers`: too few of its questions were answered."""

BUSY_CORES = 0.25
"""Cores: when other programs took more during a measurement, its times are too long."""


class Problem(Struct, frozen=True, kw_only=True):
    """A set of models that was not measured, why, and the remedy."""

    about: str
    what: str
    fix: str = ""


class Answers(Struct, frozen=True, kw_only=True):
    """What one set of models did with the questions.

    `times` are the response times of the questions that were answered, `asked` is how many were
    asked, the warm-up left out. `dropped` tells that it was given up early, as too slow.
    `peak_rss` is the most memory of the process that answered, `busy` how many cores other
    programs took meanwhile.
    """

    times: tuple[float, ...]
    asked: int
    peak_rss: int
    busy: float = 0.0
    dropped: bool = False
    spans: Mapping[str, float] = field(default_factory=dict)
    """Median of each span of the response time, in order."""


class Choice(Struct, frozen=True, kw_only=True):
    """A set of models as it was measured.

    `measured_as` is the synthetic model that stood in for the language model; empty if the model
    itself answered. `p50` is the median response time, `worst` the longest. `disk` is what all its
    models take, `fetch` what those take that must still be downloaded, `missing` their names.
    """

    slm: str
    stt: str
    tts: str
    measured_as: str = ""
    answers: Answers
    p50: float | None
    worst: float | None
    memory: int
    disk: int
    fetch: int
    missing: tuple[str, ...]
    meets: bool
    exceeds: tuple[Limit, ...] = ()


class Fit(Struct, frozen=True, kw_only=True):
    """What meets a budget. `choices` are the sets that were measured, the best first. `questions`
    is how many each set was asked; `disk` is 0 without a limit."""

    format: str = FORMAT
    version: int = VERSION
    edgevoice: str
    machine: str
    cores: int
    budget: float
    memory: int
    disk: int
    questions: int
    choices: tuple[Choice, ...]
    best: Choice | None
    not_run: tuple[str, ...]
    """Less capable language models that were not measured, as a more capable one meets it."""
    problems: tuple[Problem, ...]
