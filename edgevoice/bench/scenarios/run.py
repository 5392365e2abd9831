"""A run of scenarios through the sound devices: what is done is known at any moment."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from msgspec.structs import replace

from edgevoice import __version__
from edgevoice import events as ev
from edgevoice.bench.driver.driver import QuestionDriver, interview
from edgevoice.bench.driver.engine_cache import EngineCache
from edgevoice.bench.driver.run_state import changed, described, differing
from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.bench.machine.host import facts, libraries, load, machine
from edgevoice.bench.result.summary import figures
from edgevoice.bench.scenarios.assertions import judged
from edgevoice.bench.scenarios.assets import ScenarioScript
from edgevoice.bench.scenarios.loopback import Loopback, measured
from edgevoice.bench.scenarios.result import (
    LineOutcome,
    ScenarioOutcome,
    ScenariosResult,
    ScenarioTotals,
    SpeakerPath,
    added,
)
from edgevoice.bench.scenarios.room import LoopbackRoom
from edgevoice.bench.scenarios.room_response import Acoustics
from edgevoice.bench.scenarios.runner import ScenarioRunner
from edgevoice.build import Devices, build, echo_free, open_sink, open_source
from edgevoice.bus import Bus, Subscriber
from edgevoice.clock import SystemClock
from edgevoice.devices.duplex import LATENCY
from edgevoice.errors import DeviceError
from edgevoice.settings import Config

PROBED = Acoustics(delay=0.1, level=-6.0, tail=0.0)
"""The way over which the devices' own delay is measured."""

PROBES = 3
"""How often it is; the median counts."""

CALM = 0.08
"""Seconds asked of a room's devices where nothing asks for a short delay."""

SHORT_DELAY = 0.22
"""Delay in seconds up to which they are asked for as little as they offer."""

SETTLING = 1.0
"""Seconds until a room's devices keep their pace."""


@dataclass(frozen=True, kw_only=True)
class ScenarioPlan:
    """What is to be run: each script `repeat` times, through these devices."""

    config: Config
    scripts: Sequence[ScenarioScript]
    hears: str
    speaks: str
    repeat: int = 1
    left_out: Sequence[str] = ()


class ScenarioRun:
    """Runs a plan. `trace` is called with every event."""

    def __init__(
        self, plan: ScenarioPlan, progress: BenchProgress, trace: Subscriber | None = None
    ) -> None:
        self.outcomes: list[ScenarioOutcome] = []
        self.finished = False
        self._plan = plan
        self._progress = progress
        self._trace = trace
        self._clock = SystemClock()
        self._cache = EngineCache(self._clock)
        self._started = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        self._load = load()
        self._facts = facts()
        self._about: ev.SessionStarted | None = None
        self._loop: Loopback | None = None

    def run(self) -> None:
        """Run all of it. Raises DeviceError, ModelError and whatever else an assistant does."""
        plan = self._plan
        with ExitStack() as stack:
            stack.callback(self._cache.close)
            for latency in dict.fromkeys(map(_latency, plan.scripts)):
                self._progress.begin("listening to the room", 0.0)
                with LoopbackRoom(self._clock, plan.hears, plan.speaks, latency) as room:
                    self._clock.sleep(SETTLING)
                    self._loop = self._probed(room)
                    self._all_in(room, latency)
        self.finished = True

    def _all_in(self, room: LoopbackRoom, latency: float) -> None:
        self._progress.begin("loading the models", 0.0)
        scripts = [script for script in self._plan.scripts if _latency(script) == latency]
        begun = False
        for config, same in self._groups(scripts):
            with self._assistant(config) as one:
                if not begun:
                    count = len(scripts) * self._plan.repeat
                    what = "1 scenario" if count == 1 else f"{count} scenarios"
                    expected = self._plan.repeat * sum(script.expected for script in scripts)
                    self._progress.begin(what, expected)
                    begun = True
                acting = ScenarioRunner(one, room)
                for script in same:
                    self._act(acting, room, script)

    def _groups(
        self, scripts: Sequence[ScenarioScript]
    ) -> list[tuple[Config, list[ScenarioScript]]]:
        """Those with the same settings, in the same room, one after the other: each change of
        either is a new start, for nobody carries it from room to room while it runs."""
        groups: list[tuple[tuple[Config, Acoustics | None], list[ScenarioScript]]] = []
        for script in scripts:
            scenario = script.scenario
            start = changed(self._plan.config, scenario.changes), scenario.room.acoustics
            mine = next((scripts for other, scripts in groups if other == start), None)
            if mine is None:
                groups.append((start, mine := []))
            mine += [script] * self._plan.repeat
        return [(config, same) for (config, _), same in groups]

    def _probed(self, room: LoopbackRoom) -> Loopback:
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
                "what the speaker plays does not come through to the microphone",
                where=f"{config.audio.output or 'default output'} → {self._plan.hears}, "
                f"{self._plan.speaks} → {config.audio.input or 'default input'}",
                remedy="--hears is an input that gives what the speaker plays, --speaks an output "
                "that the microphone hears; docs/scenarios.md tells how",
            )
        middle = loops[len(loops) // 2]
        # What the devices add of their own.
        return Loopback(delay=middle.delay - PROBED.delay, level=middle.level - PROBED.level)

    @contextmanager
    def _assistant(self, config: Config) -> Iterator[QuestionDriver]:
        clock = self._clock
        bus = Bus(clock)
        bus.subscribe(self._note)
        if self._trace is not None:
            bus.subscribe(self._trace)
        with ExitStack() as opened:
            devices = Devices(clock, bus)
            microphone = devices.source(config)
            opened.callback(microphone.close)
            sink = devices.sink(config)
            opened.callback(sink.close)
            source = echo_free(config, clock, bus, microphone, sink)
            fetch = self._cache.fetch(config)
            assistant = build(config, clock, bus, source, sink, fetch=fetch)
            opened.pop_all()
        with interview(assistant, clock, SilentPlayer(), self._cache) as one:
            one.wait_until_ready()
            yield one

    def _act(self, acting: ScenarioRunner, room: LoopbackRoom, script: ScenarioScript) -> None:
        assert self._loop is not None
        scenario = script.scenario
        wanted = scenario.room.acoustics
        acoustics = wanted and replace(wanted, delay=max(0.0, wanted.delay - self._loop.delay))
        before = room.state()
        acted = acting.act(script, acoustics)
        after = room.state()
        verdict = judged(scenario, acted)
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
                way=self._way(acoustics, after.delay) if acoustics else None,
                late=after.late - before.late,
                moved=after.moved - before.moved,
                dry=after.dry - before.dry,
            )
        )
        told = "; ".join(verdict.failed) or "passed"
        self._progress.done(script.expected, f"{scenario.name}: {told}")

    def _way(self, acoustics: Acoustics, delay: float) -> SpeakerPath:
        assert self._loop is not None
        return SpeakerPath(
            delay=round(delay + self._loop.delay, 4), level=acoustics.level, tail=acoustics.tail
        )

    def _note(self, event: ev.Event) -> None:
        if isinstance(event, ev.SessionStarted):
            self._about = self._about or event

    def result(self) -> ScenariosResult:
        """Everything so far."""
        about = self._about
        return ScenariosResult(
            edgevoice=__version__,
            started=self._started,
            seconds=round(self._clock.now(), 1),
            interrupted=not self.finished,
            left_out=tuple(self._plan.left_out),
            input=about.input if about else "",
            output=about.output if about else "",
            hears=self._plan.hears,
            speaks=self._plan.speaks,
            loop=_way(self._loop) if self._loop else None,
            models=described(about.models) if about else {},
            settings=differing(self._plan.config),
            libraries=libraries(),
            machine=machine(self._load, load(), self._facts),
            totals=totals(self.outcomes),
            outcomes=tuple(self.outcomes),
        )


class SilentPlayer:
    """A player that says nothing: in a room everybody speaks for himself."""

    def say(self, samples: object) -> float | None:
        return None

    def close(self) -> None:
        return


def totals(outcomes: Sequence[ScenarioOutcome]) -> ScenarioTotals:
    """All scenarios together."""
    lines = [line for outcome in outcomes for line in outcome.lines]
    counts = added([outcome.counts for outcome in outcomes])
    # Where nobody asks anything, whatever is answered is answered to nobody.
    idle = [o for o in outcomes if not o.counts.questions + o.counts.interruptions]
    listened = sum(outcome.seconds for outcome in idle)
    heard = sum(o.counts.false_answers + o.counts.self_answers for o in idle)

    def of(name: str, told: Sequence[LineOutcome] = lines) -> list[float]:
        return [value for line in told if (value := getattr(line, name)) is not None]

    return ScenarioTotals(
        scenarios=len(outcomes),
        passed=sum(not outcome.failed for outcome in outcomes),
        counts=counts,
        seconds=round(sum(outcome.seconds for outcome in outcomes), 1),
        listened=round(listened, 1),
        false_answers_per_hour=round(heard * 3600 / listened, 2) if listened else None,
        noticed_after=figures(of("noticed_after")),
        silent_after=figures(of("silent_after")),
        silent_after_noticed=figures(of("silent_after_noticed")),
        answered_after=figures(of("answered_after")),
    )


def _way(loop: Loopback) -> SpeakerPath:
    return SpeakerPath(delay=round(loop.delay, 4), level=round(loop.level, 1), tail=0.0)


def _latency(script: ScenarioScript) -> float:
    """Seconds to ask of the devices of the room that a script is acted out in."""
    way = script.scenario.room.acoustics
    return LATENCY if way is not None and way.delay <= SHORT_DELAY else CALM
