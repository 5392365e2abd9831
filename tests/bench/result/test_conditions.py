"""What spoils the figures of a result is named beside them."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from edgevoice.bench.result.conditions import conditions, used_by_others
from edgevoice.bench.result.device_record import Roofline, Sample, Speeds
from edgevoice.bench.result.result import BenchResult
from edgevoice.bench.result.text import render
from tests.bench.simulated import result, turns


def measured(samples: tuple[Sample, ...] = (), **machine: Any) -> BenchResult:
    made = result(turns(1))
    return replace(made, samples=samples, machine=replace(made.machine, **machine))


def at(t: float, other: float | None, throttled: bool | None = None) -> Sample:
    return Sample(t=t, rss=1, cpu_seconds=t, other_cpu_seconds=other, throttled=throttled)


def test_a_busy_machine_is_named_below_the_response_time() -> None:
    """With the share of all cores that other programs used; the line is beside the figure."""
    made = measured((at(0, 0.0), at(1, 1.0), at(2, 2.0)), logical_cores=4)
    [line] = conditions(made)
    assert line == "! figures may be slow: other programs used 25 % of the processor meanwhile"
    assert line in "\n".join(render(made)).split("of 40 questions")[0]


def test_a_quiet_machine_is_not_warned_of() -> None:
    """Nor one on which nothing was measured."""
    assert not conditions(measured((at(0, 0.0), at(1, 0.2)), logical_cores=4, governor="schedutil"))
    assert not conditions(measured((at(0, None), at(1, None)), logical_cores=4))
    assert not conditions(measured())


def test_time_between_two_processes_of_a_sweep_does_not_count() -> None:
    """Ten minutes without samples are neither busy nor idle."""
    samples = (at(0, 0.0), at(1, 1.0), at(601, 1.0), at(602, 2.0))
    assert used_by_others(samples, 2) == pytest.approx(0.5)


def test_a_governor_and_throttling_are_named() -> None:
    """Each in a line of its own."""
    samples = (at(0, 0.0, False), at(1, 0.0, True), at(2, 0.0, None))
    governor, throttling = conditions(measured(samples, governor="powersave, performance"))
    assert "governor powersave" in governor
    assert "throttled for 50 % of the time" in throttling


def test_limits_are_shown_with_their_spread() -> None:
    """The best counts for the floors; median and least stand beside it."""
    speeds = Speeds(threads=2, memory_all=9e9, memory_samples=(9e9, 3e9, 6e9))
    limits = Roofline(memory=9e9, float32=None, int8=None, cache=None, floors=())
    text = "\n".join(render(replace(measured(speeds=speeds), roofline=limits)))
    assert "memory 9.0 GB/s (median 6.0, least 3.0, 3 samples)" in text
