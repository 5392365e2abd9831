"""What is known of a bench at any moment, so that nothing is lost however the bench ends."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from edgevoice import __version__
from edgevoice import events as ev
from edgevoice.bench.driver.plan import BenchPlan
from edgevoice.bench.machine.host import hashes, last_level, libraries, load, machine, peak_rss
from edgevoice.bench.machine.monitor import (
    SAMPLE_EVERY,
    DeviceMonitor,
    DeviceSampler,
    Spent,
    steady_rss,
)
from edgevoice.bench.result.device_record import Roofline, Sample, Speeds, Start
from edgevoice.bench.result.result import BenchResult, BenchTurn, Model, StageFigures, Variant
from edgevoice.bench.result.soak_record import Soak
from edgevoice.bench.result.summary import summarize
from edgevoice.catalog import SHAPE
from edgevoice.clock import Clock
from edgevoice.config import default, keys
from edgevoice.errors import ConfigError
from edgevoice.outside import in_words
from edgevoice.settings import Config


class RunInfo:
    """What every result says of its run: what ran, when and where."""

    def __init__(self, config: Config, left_out: Sequence[str], clock: Clock) -> None:
        self.models: Mapping[str, str] = {}
        self.input = self.output = ""
        self.finished = False
        self.left_out = tuple(left_out)
        self._config = config
        self._clock = clock
        self._started = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        self._load = load()

    def note(self, event: ev.Event) -> None:
        """Take what the first session says of itself."""
        if isinstance(event, ev.SessionStarted) and not self.models:
            self.models, self.input, self.output = event.models, event.input, event.output

    def fields(self, speeds: Speeds | None = None) -> dict[str, Any]:
        """The fields of a RunRecord until now, with the `speeds` of the machine."""
        return {
            "edgevoice": __version__,
            "started": self._started,
            "seconds": round(self._clock.now(), 1),
            "interrupted": not self.finished,
            "left_out": self.left_out,
            "input": self.input,
            "output": self.output,
            "models": described(self.models),
            "settings": differing(self._config),
            "libraries": libraries(),
            "machine": machine(self._load, load(), speeds),
        }


class RunState(RunInfo):
    """Turns as they are measured, and what was true when the bench began.

    `variants` are names and the settings that each changes; by default those of the plan, without.
    """

    def __init__(
        self,
        plan: BenchPlan,
        clock: Clock,
        variants: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__(plan.config, plan.left_out, clock)
        self.turns: list[BenchTurn] = []
        self.every = SAMPLE_EVERY
        """Seconds from one sample of the device to the next."""
        self.endurance: Callable[[Sequence[Sample]], Soak] | None = None
        """Judges the samples so far, in a soak."""
        self.stages: tuple[StageFigures, ...] = ()
        self.starts: list[Start] = []
        self._plan = plan
        self._variants = {name: {} for name in plan.variants} if variants is None else variants
        self._speeds: Speeds | None = None
        self._last_level: int | None = None
        self._watch: DeviceSampler | None = None

    def survey(self) -> None:
        """Measure the machine: some seconds in which nothing else may run.

        Done before and after a bench, because shared machines change within minutes.
        """
        from edgevoice.bench.roofline.speeds import combined, measured_elsewhere

        self._last_level = last_level()
        self._speeds = combined(self._speeds, measured_elsewhere())

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Samples the device for as long as the block lasts."""
        with DeviceSampler(DeviceMonitor(), self._clock, self.every) as self._watch:
            yield

    def spent(self) -> Spent:
        """CPU time and energy so far; unknown unless the device is watched."""
        return self._watch.device.spent() if self._watch else Spent()

    @property
    def samples(self) -> Sequence[Sample]:
        """The device so far; empty unless it is watched."""
        return self._watch.samples if self._watch else ()

    def result(self) -> BenchResult:
        """Everything measured so far."""
        samples = tuple(self.samples)
        return BenchResult(
            **self.fields(self._speeds),
            command=self._plan.command,
            questions=self._plan.source,
            played_to=self._plan.play_to,
            conversation=self._plan.conversation,
            # A process that was started takes its memory there.
            peak_rss=max([start.rss for start in self.starts], default=peak_rss()),
            variants=tuple(
                Variant(name=name, settings=changes, summary=summarize(self._of(name)))
                for name, changes in self._variants.items()
            ),
            turns=tuple(self.turns),
            steady_rss=None if self.starts else steady_rss(samples),
            roofline=self._roofline(),
            sensors=self._watch.device.sources if self._watch else None,
            samples=samples,
            soak=self.endurance(samples) if self.endurance else None,
            stages=self.stages,
            starts=tuple(self.starts),
        )

    def _of(self, variant: str) -> list[BenchTurn]:
        return [turn for turn in self.turns if turn.variant == variant]

    def _roofline(self) -> Roofline | None:
        if self._speeds is None or not self._variants:
            return None
        from edgevoice.bench.roofline.roofline import MachineLimits, roofline

        limits = MachineLimits.of(self._speeds, self._last_level)
        return roofline(self._config, limits, self.models, self._of(next(iter(self._variants))))


def described(models: Mapping[str, str]) -> dict[str, Model]:
    """The models of each role by name, as a result has them."""
    known = hashes(models.values())
    return {
        role: Model(name=name, shape=name.startswith(SHAPE), sha256=known.get(name))
        for role, name in models.items()
    }


def changed(config: Config, changes: Mapping[str, Any]) -> Config:
    """`config` with each `section.key` of `changes`. Raises ConfigError for a wrong value."""
    values = msgspec.to_builtins(config)
    for key, value in changes.items():
        section, name = key.split(".", 1)
        values[section][name] = value
    try:
        return msgspec.convert(values, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"a setting cannot have this value: {in_words(str(error))}", where=", ".join(changes)
        ) from None


def differing(config: Config) -> dict[str, Any]:
    """The settings that differ from their defaults, by `section.key`, without folders."""
    values = msgspec.to_builtins(config)
    found = {key: values[section][name] for key in keys() for section, name in [key.split(".", 1)]}
    return {
        key: value
        for key, value in found.items()
        if value != default(key) and key not in ("models.folder", "recordings.folder")
    }
