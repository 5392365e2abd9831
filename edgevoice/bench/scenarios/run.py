"""A run of scenarios through sound devices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from msgspec.structs import replace

from edgevoice.bench.driver.driver import QuestionDriver, session
from edgevoice.bench.driver.engine_cache import EngineCache
from edgevoice.bench.driver.run_state import RunInfo, changed
from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.bench.result.summary import figures
from edgevoice.bench.result.wording import counted
from edgevoice.bench.scenarios.assertions import judged
from edgevoice.bench.scenarios.assets import ScenarioScript
from edgevoice.bench.scenarios.loopback import measured
from edgevoice.bench.scenarios.result import ScenarioOutcome, ScenariosResult, ScenarioTotals, added
from edgevoice.bench.scenarios.room import LoopbackRoom
from edgevoice.bench.scenarios.room_response import Acoustics
from edgevoice.bench.scenarios.runner import ScenarioRunner
from edgevoice.bus import Bus, Subscriber
from edgevoice.clock import SystemClock
from edgevoice.devices.duplex import LATENCY
from edgevoice.errors import DeviceError
from edgevoice.open_devices import Devices, echo_free, open_sink, open_source
from edgevoice.settings import Config

PROBED = Acoustics(delay=0.1, level=-6.0, tail=0.0)
"""The acoustics with which the devices' own delay is measured."""

PROBES = 3
"""Measurements of it; the median counts."""

CALM = 0.08
"""Latency in seconds requested of the devices where no scenario needs a short delay."""

SHORT_DELAY = 0.22
"""Longest delay in seconds that needs the least latency."""

SETTLING = 1.0
"""Seconds until the times that the devices report are reliable."""


@dataclass(frozen=True, kw_only=True)
class ScenarioPlan:
    """What to run: each script `repeat` times, through these devices."""

    config: Config
    scripts: Sequence[ScenarioScript]
    hears: str
    speaks: str
    repeat: int = 1
    left_out: Sequence[str] = ()


class ScenarioRun:
    """Runs a plan. `trace` is called with every event; `result` is known at any moment."""

    def __init__(
        self, plan: ScenarioPlan, progress: BenchProgress, trace: Subscriber | None = None
    ) -> None:
        self.outcomes: list[ScenarioOutcome] = []
        self._plan = plan
        self._progress = progress
        self._trace = trace
        self._clock = SystemClock()
        self._cache = EngineCache(self._clock)
        self._info = RunInfo(plan.config, plan.left_out, self._clock)
        self._loop = Acoustics(delay=0.0, level=0.0, tail=0.0)

    def run(self) -> None:
        """Run all of it. Raises DeviceError, ModelError and what an assistant fails with."""
        plan = self._plan
        with ExitStack() as stack:
            stack.callback(self._cache.close)
            for latency in dict.fromkeys(map(_latency, plan.scripts)):
                self._progress.begin("measuring the room", 0.0)
                with LoopbackRoom(self._clock, plan.hears, plan.speaks, latency) as room:
                    self._clock.sleep(SETTLING)
                    self._loop = self._probed(room)
                    self._run_in(room, [s for s in plan.scripts if _latency(s) == latency])
        self._info.finished = True

    def _run_in(self, room: LoopbackRoom, scripts: Sequence[ScenarioScript]) -> None:
        self._progress.begin("loading the models", 0.0)
        # A change of settings or acoustics is a new start: nobody moves while it runs.
        groups: dict[str, list[ScenarioScript]] = {}
        for script in scripts:
            start = script.scenario.changes, script.scenario.room.acoustics
            groups.setdefault(repr(start), []).extend([script] * self._plan.repeat)
        for number, group in enumerate(groups.values()):
            config = changed(self._plan.config, group[0].scenario.changes)
            with self._assistant(config) as one:
                if number == 0:
                    what = counted(len(scripts) * self._plan.repeat, "scenario")
                    expected = self._plan.repeat * sum(script.expected for script in scripts)
                    self._progress.begin(what, expected)
                runner = ScenarioRunner(one, room)
                for script in group:
                    self._act(runner, room, script)

    def _probed(self, room: LoopbackRoom) -> Acoustics:
        """What the devices add to the acoustics of a room."""
        room.acoustics(PROBED)
        config = self._plan.config
        with ExitStack() as opened:
            source = open_source(config, self._clock)
            opened.callback(source.close)
            sink = open_sink(config, self._clock)
            opened.callback(sink.close)
            found = [measured(self._clock, source, sink) for _ in range(PROBES)]
        room.acoustics(None)
        loops = sorted((loop for loop in found if loop is not None), key=lambda loop: loop.delay)
        if not loops:
            raise DeviceError(
                "the microphone does not hear what the speaker plays",
                where=f"{config.audio.output or 'default output'} → {self._plan.hears}, "
                f"{self._plan.speaks} → {config.audio.input or 'default input'}",
                remedy="--hears is an input that records what the speaker plays, --speaks an "
                "output that the microphone hears; see docs/scenarios.md",
            )
        middle = loops[len(loops) // 2]
        delay, level = middle.delay - PROBED.delay, middle.level - PROBED.level
        return replace(middle, delay=delay, level=level)

    @contextmanager
    def _assistant(self, config: Config) -> Iterator[QuestionDriver]:
        clock = self._clock
        bus = Bus(clock)
        bus.subscribe(self._info.note)
        if self._trace is not None:
            bus.subscribe(self._trace)
        with ExitStack() as opened:
            devices = Devices(clock, bus)
            microphone = devices.source(config)
            opened.callback(microphone.close)
            sink = devices.sink(config)
            opened.callback(sink.close)
            source = echo_free(config, clock, bus, microphone, sink)
            opened.pop_all()
        with session(config, bus, (source, sink, None), self._cache) as one:
            yield one

    def _act(self, runner: ScenarioRunner, room: LoopbackRoom, script: ScenarioScript) -> None:
        scenario, loop = script.scenario, self._loop
        wanted = scenario.room.acoustics
        acoustics = wanted and replace(wanted, delay=max(0.0, wanted.delay - loop.delay))
        acted = runner.act(script, acoustics)
        verdict = judged(scenario, acted)
        delay = round(room.state().delay + loop.delay, 4)
        way = acoustics and replace(acoustics, delay=delay)
        earlier = sum(o.name == scenario.name and o.file == script.file.name for o in self.outcomes)
        self.outcomes.append(
            ScenarioOutcome(
                name=scenario.name,
                file=script.file.name,
                repeat=earlier + 1,
                at=round(acted.began, 3),
                seconds=round(acted.ended - acted.began, 3),
                failed=verdict.failed,
                counts=verdict.counts,
                lines=verdict.lines,
                unasked=verdict.unasked,
                settings=scenario.changes,
                way=way,
            )
        )
        self._progress.done(
            script.expected, f"{scenario.name}: {'; '.join(verdict.failed) or 'passed'}"
        )

    def result(self) -> ScenariosResult:
        """Everything so far."""
        loop = self._loop
        return ScenariosResult(
            **self._info.fields(),
            hears=self._plan.hears,
            speaks=self._plan.speaks,
            loop=replace(loop, delay=round(loop.delay, 4), level=round(loop.level, 1)),
            totals=totals(self.outcomes),
            outcomes=tuple(self.outcomes),
        )


def totals(outcomes: Sequence[ScenarioOutcome]) -> ScenarioTotals:
    """All scenarios together."""
    # Without a question, every answer is a false one.
    idle = [o for o in outcomes if not o.counts.questions + o.counts.interruptions]
    listened = sum(outcome.seconds for outcome in idle)
    false = sum(o.counts.false_answers + o.counts.self_answers for o in idle)
    times = ("noticed_after", "silent_after", "silent_after_noticed", "answered_after")
    lines = [line for outcome in outcomes for line in outcome.lines]
    return ScenarioTotals(
        scenarios=len(outcomes),
        passed=sum(not outcome.failed for outcome in outcomes),
        counts=added([outcome.counts for outcome in outcomes]),
        seconds=round(sum(outcome.seconds for outcome in outcomes), 1),
        listened=round(listened, 1),
        false_answers_per_hour=round(false * 3600 / listened, 2) if listened else None,
        **{name: figures(getattr(line, name) for line in lines) for name in times},
    )


def _latency(script: ScenarioScript) -> float:
    """Seconds of latency to request for a script."""
    acoustics = script.scenario.room.acoustics
    return LATENCY if acoustics is not None and acoustics.delay <= SHORT_DELAY else CALM
