"""The device is sampled once a second, and each turn is charged what it took."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from edgevoice.bench.machine import monitor
from edgevoice.bench.machine.monitor import DeviceMonitor, DeviceSampler, Spent, steady_rss
from edgevoice.bench.result.device_record import Sample
from edgevoice.testing.virtual import VirtualClock
from tests.bench.machines import LAPTOP, tree
from tests.bench.stage import Stage


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs the tests, the machines in them have the cores 0 and 1."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)


def test_samples_come_once_a_second_from_the_beginning_on() -> None:
    """Four and a half seconds: at once, four times more, and none once it is over."""
    clock = VirtualClock()
    with DeviceSampler(DeviceMonitor(Path("nowhere"), vcgencmd=""), clock) as watch:
        clock.sleep(4.5)
    clock.sleep(3.0)
    assert [sample.t for sample in watch.samples] == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_what_the_machine_does_not_tell_is_none_and_the_rest_is_there() -> None:
    """No sensor at all: memory and processor time are measured all the same."""
    device = DeviceMonitor(Path("nowhere"), vcgencmd="")
    sample = device.sample(1.0)
    assert sample.rss > 0
    assert sample.cpu_seconds > 0
    assert sample.threads
    assert (sample.temperature, sample.clock, sample.throttled, sample.energy) == (None,) * 4
    assert device.sources == dict.fromkeys(("temperature", "clock", "throttled", "energy"))


def test_a_sample_holds_what_every_sensor_tells(tmp_path: Path) -> None:
    """And the result can say where each was read."""
    device = DeviceMonitor(tree(tmp_path, LAPTOP), vcgencmd="")
    (tmp_path / "sys/class/powercap/intel-rapl:0/energy_uj").write_text("3000000")
    sample = device.sample(2.0)
    assert (sample.temperature, sample.clock) == (61.0, 2.0e9)
    assert (sample.throttled, sample.energy) == (False, 2.0)
    assert device.sources["energy"] == "RAPL package-0"


def test_what_other_processes_spend_is_what_neither_idles_nor_is_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ten seconds of two cores: nine idle, four its own with what it started, seven of others."""
    times = iter([(0.0, 100.0), (10.0, 108.0)])
    own = iter([(1.0, 0.0, 0.0, 0.0, 0.0), (3.0, 1.0, 0.5, 0.5, 0.0)])
    now = [0.0]

    def cpu_times() -> SimpleNamespace:
        now[0], idle = next(times)
        return SimpleNamespace(idle=idle, iowait=now[0] / 10)

    monkeypatch.setattr(psutil, "cpu_count", lambda: 2)
    monkeypatch.setattr(psutil, "cpu_times", cpu_times)
    monkeypatch.setattr(monitor, "os", SimpleNamespace(times=lambda: next(own)))
    monkeypatch.setattr(monitor, "time", SimpleNamespace(monotonic=lambda: now[0]))
    others = monitor.OtherProcesses()
    assert others() == pytest.approx(20.0 - 9.0 - 4.0)


def test_sampling_goes_on_while_sensors_come_and_go(tmp_path: Path) -> None:
    """A sensor that vanishes in the middle costs its own values and nothing else."""
    clock = VirtualClock()
    with DeviceSampler(DeviceMonitor(tree(tmp_path, LAPTOP), vcgencmd=""), clock) as watch:
        clock.sleep(1.5)
        (tmp_path / "sys").rename(tmp_path / "gone")
        clock.sleep(2.0)
    assert [sample.temperature for sample in watch.samples] == [61.0, 61.0, None, None]
    assert all(sample.rss > 0 for sample in watch.samples)


def test_what_is_not_measured_at_either_end_is_not_spent() -> None:
    """A difference needs both readings."""
    assert Spent(3.0, 10.0).since(Spent(1.0, None)) == Spent(2.0, None)
    assert Spent(3.0, None).since(Spent(1.0, 4.0)) == Spent(2.0, None)


def test_steady_memory_is_that_of_the_second_half() -> None:
    """Loading does not count, nor a peak; of a bench too short for a half there is none."""
    sizes = [1, 2, 90, 5, 5, 6, 99, 5]
    samples = [Sample(t=float(n), rss=size, cpu_seconds=0.0) for n, size in enumerate(sizes)]
    assert steady_rss(samples) == round((5 + 6) / 2)
    assert steady_rss(samples[:3]) is None


def test_a_turn_is_charged_from_its_first_sample_until_all_is_idle() -> None:
    """Two seconds of processor time and ten joules a second of a scripted meter, for as long as
    the question and its answer take, and not for the silence behind them."""
    stage = Stage("It is noon.")
    clock = stage.show.clock
    with stage.interview() as one:
        one.meter = lambda: Spent(2.0 * clock.now(), 10.0 * clock.now())
        asked = clock.now()
        turn = one.ask(stage.question((0.2, "what time is it", 1.0)))
        settled = clock.now()
    assert turn.cpu_seconds is not None
    assert turn.response_time is not None
    assert turn.energy == pytest.approx(5.0 * turn.cpu_seconds)
    assert 2.0 * (1.2 + turn.response_time) < turn.cpu_seconds < 2.0 * (settled - asked - 0.7)


def test_without_a_meter_nothing_is_claimed() -> None:
    """None, and not zero."""
    stage = Stage("It is noon.")
    with stage.interview() as one:
        turn = one.ask(stage.question((0.2, "what time is it", 1.0)))
    assert (turn.cpu_seconds, turn.energy) == (None, None)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere getrusage is asked")
def test_the_peak_of_a_process_is_its_own_and_not_that_of_its_parent() -> None:
    """A process that is started by a large one, and takes little, says little."""
    command = "from edgevoice.bench.machine.host import peak_rss; print(peak_rss())"
    large = np.ones(200 << 20, dtype=np.uint8)
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, check=True)
    assert 0 < int(done.stdout) < large.nbytes
