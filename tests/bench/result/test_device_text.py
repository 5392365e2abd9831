"""The text has every reading of the machine, and names what is not available."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from edgevoice.bench.driver.plan import BenchPlan
from edgevoice.bench.driver.run_state import RunState
from edgevoice.bench.result.device_record import Roofline, Sample, StageFloor
from edgevoice.bench.result.device_text import device, limits
from edgevoice.bench.result.result import AS_SET, BenchResult, BenchTurn, encoded
from edgevoice.bench.result.text import render
from edgevoice.clock import SystemClock
from edgevoice.settings import Config

NONE = dict.fromkeys(("temperature", "clock", "throttled", "energy"))
ALL = {"temperature": "cpu", "clock": "cpufreq", "throttled": "counts", "energy": "RAPL"}


@pytest.fixture
def bare() -> BenchResult:
    """A result of one turn on a machine without any sensor."""
    run_state = RunState(
        BenchPlan(command="run", config=Config(), questions=(), source="built-in"), SystemClock()
    )
    run_state.turns = [
        BenchTurn(
            variant=AS_SET,
            question="one",
            response_time=0.4,
            cpu_seconds=2.5,
            prefill_rate=80.0,
            stt_rtf=0.04,
            tts_rtf=0.21,
            words_per_minute=171.0,
        )
    ]
    samples = tuple(Sample(t=float(n), rss=10**9, cpu_seconds=float(n)) for n in range(4))
    return replace(
        run_state.result(), sensors=NONE, samples=samples, steady_rss=10**9, peak_rss=2 * 10**9
    )


def test_a_machine_without_sensors_says_so_in_one_line(bare: BenchResult) -> None:
    """The rest is measured all the same, and nothing is zero."""
    lines = device(bare)
    assert lines == [
        "memory 1.00 GB steady, 2.00 GB at most · CPU 2.5 s a turn",
        "temperature, clock, throttling, energy: not available on this machine",
    ]


def test_in_the_file_what_is_not_there_is_null(bare: BenchResult) -> None:
    """Never zero, never left out."""
    told = msgspec.json.decode(encoded(bare))
    assert told["sensors"] == NONE
    for sample in told["samples"]:
        for name in NONE:
            assert sample[name] is None
    assert told["turns"][0]["energy"] is None
    assert told["variants"][0]["summary"]["energy"] is None
    assert told["roofline"] is None


def test_each_sensor_that_is_missing_is_named(bare: BenchResult) -> None:
    """One that tells stands beside three that do not."""
    hot = replace(bare.samples[0], temperature=70.2)
    lines = device(replace(bare, sensors={**NONE, "temperature": "cpu"}, samples=(hot,)))
    assert lines[1:] == [
        "temperature 70 °C (cpu) · clock not available · throttled not available",
        "energy not available",
    ]


def test_what_sensors_told_is_summed_up(bare: BenchResult) -> None:
    """From coldest to hottest, from slowest to fastest, how often throttled, and the power."""
    samples = tuple(
        replace(sample, temperature=50.0 + n, clock=1e9 + n * 5e8, throttled=n == 3, energy=8.0 * n)
        for n, sample in enumerate(bare.samples)
    )
    text = "\n".join(device(replace(bare, sensors=ALL, samples=samples)))
    for told in (
        "CPU 2.5 s a turn",
        "temperature 50 to 53 °C",
        "clock 1.00 to 2.50 GHz",
        "throttled in 1 of 4 samples",
        "energy 8.0 W on average",
    ):
        assert told in text


def test_a_machine_that_was_never_throttled_says_never(bare: BenchResult) -> None:
    """That is something else than not to know."""
    samples = tuple(replace(sample, throttled=False) for sample in bare.samples)
    text = "\n".join(device(replace(bare, sensors={**NONE, "throttled": "x"}, samples=samples)))
    assert "throttled never" in text


def test_a_result_from_before_there_were_sensors_has_no_such_lines(bare: BenchResult) -> None:
    """Nothing is said of what was not asked."""
    assert device(replace(bare, sensors=None)) == []
    assert limits(replace(bare, roofline=None)) == []


def test_limits_stand_beside_what_was_reached(bare: BenchResult) -> None:
    """In milliseconds and percent, with what bounds it; a stage without a floor says why."""
    floors = (
        StageFloor(stage="recognize", per="", why="its file is not here any more"),
        StageFloor(
            stage="decode",
            per="token",
            n=4,
            floor=0.0191,
            measured=0.033,
            share=0.579,
            bound="memory",
        ),
    )
    roofline = Roofline(memory=25e9, float32=171.3e9, int8=None, cache=None, floors=floors)
    lines = limits(replace(bare, roofline=roofline))
    told = " ".join(" ".join(lines).split())
    assert "recognize its file is not here any more" in told
    assert "decode token 19.1 ms 33 ms 58% memory" in told
    assert lines[-1] == "memory 25.0 GB/s · float32 171.3 Gop/s · int8 not available"
    table = render(replace(bare, roofline=roofline))
    assert max(map(len, table)) <= 80
    assert set(lines) <= set(table)
    assert any("not available on this machine" in line for line in table)


def test_rates_stand_with_the_counts(bare: BenchResult) -> None:
    """How fast each stage was, by the median of the turns."""
    text = "\n".join(render(bare))
    for told in (
        "prefill 80 tokens/s",
        "RTF of STT 0.04",
        "of TTS 0.21",
        "171 words a minute spoken",
    ):
        assert told in text
