"""Measure sets of models, the most capable first, and choose the first that meets the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from msgspec.structs import replace

from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.corpus.preparation import asked_aloud
from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.bench.jobs.worker import Worker
from edgevoice.bench.result.wording import counted
from edgevoice.catalog import discard
from edgevoice.errors import EdgevoiceError
from edgevoice.fit.candidates import ModelSet
from edgevoice.fit.record import Answers, Choice, Limit, Problem
from edgevoice.fit.trial import EACH, LOADING, Trial
from edgevoice.models import shapes
from edgevoice.models.disk import size_text, writing
from edgevoice.models.store import Store
from edgevoice.settings import Config

LEAST_ANSWERED = 0.5
"""The share of the questions that must be answered."""

MAKING = 100e6
"""Bytes of a synthetic model that are made in a second, roughly."""

MeasureSet = Callable[[ModelSet, BenchProgress], Answers]
"""Has a set answer. Raises EdgevoiceError."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds of response time, bytes of memory, bytes of disk for the models of a set (0: no
    limit), and bytes of disk that are `free` for models that must be downloaded."""

    budget: float
    memory: int
    disk: int
    free: int

    def too_large(self, one: ModelSet) -> bool:
        """Whether its models take too much disk."""
        return one.fetch > self.free or bool(self.disk and one.disk > self.disk)


@dataclass
class Fitting:
    """Measures `sets` in their order; `run` stops at the first that meets the limits, unless it is
    to go on with `everything`."""

    sets: Sequence[ModelSet]
    limits: Limits
    measure: MeasureSet
    progress: BenchProgress
    everything: bool = False
    choices: list[Choice] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)

    def run(self, expected: Callable[[ModelSet], float]) -> None:
        """Measure; a set is `expected` to take so many seconds."""
        label = f"{counted(len(self.sets), 'set')} of models"
        self.progress.begin(label, sum(map(expected, self.sets)))
        for number, one in enumerate(self.sets, 1):
            where = f"[{number}/{len(self.sets)}] {one.label}"
            part = _Part(self.progress)
            came = self._try(one, where, part)
            self.progress.done(max(0.0, expected(one) - part.spent), f"{where}: {came}")

    def _try(self, one: ModelSet, where: str, part: _Part) -> str:
        """Measure the set if it can still matter; returns what came of it."""
        if not self.everything and any(choice.meets for choice in self.choices):
            if one.slm.name not in [*self.not_run, *(choice.slm for choice in self.choices)]:
                self.not_run.append(one.slm.name)
            return "not measured: a more capable set meets the budget"
        if self.limits.too_large(one):
            what = f"its models take {size_text(one.disk)} of disk"
            return self._left_out(one, what, "allow more with --disk, or free some space")
        # The weights are read whole, so no measurement is needed to know that they are too large.
        if (size := one.slm.disk) > self.limits.memory:
            return self._left_out(one, f"its weights take {size_text(size)} of memory")
        if any(c.slm == one.slm.name and c.answers.dropped for c in self.choices):
            return "not measured: its language model was too slow with another set"
        self.progress.say(where)
        try:
            answers = self.measure(one, part)
        except EdgevoiceError as error:
            return self._left_out(one, error.what, error.remedy)
        choice = judged(one, answers, self.limits)
        self.choices.append(choice)
        return outcome(choice)

    def _left_out(self, one: ModelSet, what: str, fix: str = "") -> str:
        self.problems.append(Problem(about=one.label, what=what, fix=fix))
        return f"left out: {what}"

    @property
    def ranked(self) -> list[Choice]:
        """Those that meet the limits as they were measured, then the others, the fastest first."""
        good = [choice for choice in self.choices if choice.meets]
        rest = [choice for choice in self.choices if not choice.meets]
        return good + sorted(rest, key=lambda c: (len(c.exceeds), c.p50 or float("inf")))


def judged(one: ModelSet, answers: Answers, limits: Limits) -> Choice:
    """The set with what it exceeds: the median response time counts."""
    p50 = median(answers.times) if answers.times else None
    too_much: dict[Limit, bool] = {
        "answers": len(answers.times) < LEAST_ANSWERED * answers.asked or p50 is None,
        "response time": p50 is not None and (p50 > limits.budget or answers.dropped),
        "memory": answers.peak_rss > limits.memory,
        "disk": limits.too_large(one),
    }
    exceeds = tuple(name for name, exceeded in too_much.items() if exceeded)
    return Choice(
        slm=one.slm.name,
        stt=one.stt.name,
        tts=one.tts.name,
        measured_as="" if one.slm.here else one.slm.run_as,
        answers=answers,
        p50=p50,
        worst=max(answers.times, default=None),
        memory=answers.peak_rss,
        disk=one.disk,
        fetch=one.fetch,
        missing=one.missing,
        meets=not exceeds,
        exceeds=exceeds,
    )


def outcome(choice: Choice) -> str:
    """What came of a set, in a line."""
    if choice.p50 is None or choice.worst is None:
        return "no question was answered"
    if choice.answers.dropped:
        return f"dropped: {choice.p50:.2f} s after {counted(len(choice.answers.times), 'answer')}"
    verdict = f"exceeds {' and '.join(choice.exceeds)}" if choice.exceeds else "meets the budget"
    return f"median {choice.p50:.2f} s, worst {choice.worst:.2f} s: {verdict}"


def with_models(config: Config, one: ModelSet, slm: str) -> Config:
    """The settings with the set's models, and `slm` as its language model."""
    models = replace(config.models, slm=slm, stt=one.stt.name, tts=one.tts.name)
    return replace(config, models=models)


@dataclass(frozen=True, slots=True)
class InProcesses:
    """Measures each set in a process of its own, so that memory and caches are its own.

    A synthetic model that is not here is made first and removed afterwards.
    """

    config: Config
    questions: Sequence[BenchQuestion]
    budget: float

    def expected(self, one: ModelSet) -> float:
        """Seconds that the set takes, roughly."""
        making = one.slm.disk / MAKING if _is_to_be_made(one, Store(self.config)) else 0.0
        return making + LOADING + EACH * len(self.questions)

    def __call__(self, one: ModelSet, progress: BenchProgress) -> Answers:
        with _made(one, Store(self.config), progress):
            config = with_models(self.config, one, one.slm.run_as)
            apart: Worker[Answers] = Worker(Trial(config, self.questions, self.budget))
            apart.run(progress)
        assert apart.made is not None
        return apart.made


def in_processes(
    config: Config, first: ModelSet, budget: float, questions: int, progress: BenchProgress
) -> InProcesses:
    """Measures with so many questions, and one to warm up, in the voice of the `first` set."""
    settings = with_models(config, first, first.slm.name)
    asked = asked_aloud(None, questions + 1, settings, progress, roles=("stt",))
    return InProcesses(config, asked, budget)


def _is_to_be_made(one: ModelSet, store: Store) -> bool:
    name = one.slm.run_as
    return not one.slm.here and not (name in store.catalog and store.find(name))


@contextmanager
def _made(one: ModelSet, store: Store, progress: BenchProgress) -> Iterator[None]:
    """The synthetic model of a set, there for as long as the block lasts. Raises what `make` does.

    One that was here before stays.
    """
    name, model = one.slm.run_as, one.slm.architecture
    if model is None or not _is_to_be_made(one, store):
        yield
        return
    try:
        shapes.make(model, store, _Making(progress))
        progress.done(one.slm.disk / MAKING, f"{name}: made")
        yield
    finally:
        store = Store(store.config)  # one opened before does not know it
        if name in store.catalog:
            store.remove(name)
            with writing(store.catalog.own_path.parent):
                discard(store.catalog.own_path, name)
            progress.say(f"{name}: removed")


class _Making:
    """What making a synthetic model tells, as remarks: the bar is that of the whole."""

    def __init__(self, whole: BenchProgress) -> None:
        self.say = whole.say

    def begin(self, label: str, total: int, done: int = 0) -> None:
        self.say(f"{label}, {size_text(total)}")

    def reach(self, done: int) -> None:
        """Not shown."""

    def end(self) -> None:
        """Not shown."""


class _Part:
    """The progress of one set within that of all."""

    def __init__(self, whole: BenchProgress) -> None:
        self._whole = whole
        self.spent = 0.0

    def begin(self, what: str, total: float) -> None:
        """The whole has begun already."""

    def done(self, seconds: float, line: str) -> None:
        self.spent += seconds
        self._whole.done(seconds, f"  {line}")

    def say(self, line: str) -> None:
        self._whole.say(f"  {line}")
