"""Sensors of machines that are made of files: read where they are, None where they are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgevoice.bench.machine import sensors
from edgevoice.bench.machine.sensors import Battery, Rapl
from tests.bench.machines import BATTERY, BOARD, LAPTOP, tree


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs the tests, the machines in them have the cores 0 and 1."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)


def test_a_laptop_tells_everything(tmp_path: Path) -> None:
    """Heat of the processor and not of the board, the mean clock, no throttling so far."""
    root = tree(tmp_path, LAPTOP)
    heat, clock = sensors.temperature(root), sensors.clock(root)
    throttled = sensors.throttled(root, vcgencmd="")
    assert heat is not None
    assert (heat.source, heat.read()) == ("x86_pkg_temp", 61.0)
    assert clock is not None
    assert clock.read() == pytest.approx(2.0e9)
    assert throttled is not None
    assert throttled.read() is False


def test_throttling_is_a_counter_that_moves(tmp_path: Path) -> None:
    """Told for the reading in which it moved, and over at the next."""
    throttled = sensors.throttled(tree(tmp_path, LAPTOP), vcgencmd="")
    assert throttled is not None
    count = tmp_path / "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count"
    count.write_text("4\n")
    assert [throttled.read(), throttled.read()] == [True, False]


def test_cooling_by_the_clock_is_throttling_and_a_fan_is_not(tmp_path: Path) -> None:
    """On a board, cooling devices tell; the fan is on all the time."""
    root = tree(tmp_path, BOARD)
    throttled = sensors.throttled(root, vcgencmd="")
    assert throttled is not None
    assert throttled.read() is False
    (root / "sys/class/thermal/cooling_device0/cur_state").write_text("2")
    assert throttled.read() is True


@pytest.mark.skipif(os.name != "posix", reason="the stand-in for vcgencmd is a shell script")
@pytest.mark.parametrize(
    ("said", "expected"),
    [("throttled=0x0", False), ("throttled=0x50000", False), ("throttled=0x50005", True)],
)
def test_a_raspberry_pi_tells_of_now_and_not_of_before(
    said: str, expected: bool, tmp_path: Path
) -> None:
    """The low bits are now; the high ones remember what was since the start."""
    program = tmp_path / "vcgencmd"
    program.write_text(f'#!/bin/sh\n[ "$1" = get_throttled ] && echo {said}\n')
    program.chmod(0o755)
    throttled = sensors.throttled(tmp_path, vcgencmd=str(program))
    assert throttled is not None
    assert throttled.read() is expected


def test_a_program_that_answers_nonsense_is_no_sensor(tmp_path: Path) -> None:
    """Neither one that fails nor one that is not there."""
    program = tmp_path / "vcgencmd"
    program.write_text("#!/bin/sh\necho VCHI initialization failed\n")
    program.chmod(0o755)
    assert sensors.throttled(tmp_path, vcgencmd=str(program)) is None
    assert sensors.throttled(tmp_path, vcgencmd=str(tmp_path / "none")) is None


def test_chips_are_asked_where_no_zone_is_in_the_processor(tmp_path: Path) -> None:
    """AMD's sensor is a chip; the hottest of its places counts, the disk's does not."""
    root = tree(
        tmp_path,
        {
            "sys/class/hwmon/hwmon0/name": "nvme",
            "sys/class/hwmon/hwmon0/temp1_input": 81000,
            "sys/class/hwmon/hwmon1/name": "k10temp",
            "sys/class/hwmon/hwmon1/temp1_input": 55500,
            "sys/class/hwmon/hwmon1/temp3_input": 57250,
        },
    )
    heat = sensors.temperature(root)
    assert heat is not None
    assert (heat.source, heat.read()) == ("k10temp", 57.25)


def test_a_machine_without_any_sensor_has_none(tmp_path: Path) -> None:
    """No file, no quantity: None each, and no error."""
    assert sensors.temperature(tmp_path) is None
    assert sensors.clock(tmp_path) is None
    assert sensors.throttled(tmp_path, vcgencmd="") is None
    assert sensors.energy(tmp_path) == (None, False)


@pytest.mark.parametrize("broken", ["", "rubbish", "0", "nan", "-274000", "999999999", "\xff"])
def test_a_sensor_that_talks_nonsense_is_none(broken: str, tmp_path: Path) -> None:
    """Nothing, letters, exactly zero, and degrees that cannot be."""
    root = tree(tmp_path, {"sys/class/thermal/thermal_zone0/type": "cpu-thermal"})
    (root / "sys/class/thermal/thermal_zone0/temp").write_text(broken, "latin-1")
    assert sensors.temperature(root) is None


def test_a_file_that_nobody_may_read_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As RAPL is on most systems; also for root, who may read everything in a test."""
    root = tree(tmp_path, LAPTOP)
    reading = Path.read_text

    def refused(path: Path, *args: str, **more: str) -> str:
        if path.name in ("energy_uj", "temp", "scaling_cur_freq"):
            raise PermissionError(13, "Permission denied", str(path))
        return reading(path, *args, **more)

    monkeypatch.setattr(Path, "read_text", refused)
    assert sensors.energy(root) == (None, False)
    assert sensors.temperature(root) is None
    assert sensors.clock(root) is None


def test_a_sensor_that_vanishes_tells_nothing_any_more(tmp_path: Path) -> None:
    """None from then on, and again a value when it is back."""
    root = tree(tmp_path, LAPTOP)
    heat, clock = sensors.temperature(root), sensors.clock(root)
    throttled, (joules, _) = sensors.throttled(root, vcgencmd=""), sensors.energy(root)
    assert heat
    assert clock
    assert throttled
    assert joules
    (root / "sys").rename(root / "gone")
    assert [heat.read(), clock.read(), throttled.read(), joules.read()] == [None] * 4
    (root / "gone").rename(root / "sys")
    assert heat.read() == 61.0
    assert joules.read() == 0.0


def test_in_a_virtual_machine_the_nominal_clock_is_not_the_clock(tmp_path: Path) -> None:
    """/proc/cpuinfo counts only where the kernel counts cycles for it."""
    text = "processor : 0\ncpu MHz : 2400.5\nflags : fpu {}\nprocessor : 1\ncpu MHz : 2600.5"
    assert sensors.clock(tree(tmp_path, {"proc/cpuinfo": text.format("hypervisor")})) is None
    real = sensors.clock(tree(tmp_path, {"proc/cpuinfo": text.format("aperfmperf")}))
    assert real is not None
    assert real.read() == pytest.approx(2.5005e9)


def test_only_the_clock_of_usable_cores_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others may sleep."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1}, raising=False)
    clock = sensors.clock(tree(tmp_path, LAPTOP))
    assert clock is not None
    assert clock.read() == pytest.approx(2.2e9)


def test_energy_is_that_of_the_packages_since_the_beginning(tmp_path: Path) -> None:
    """Not of the cores inside them, nor of the whole platform around them, once more."""
    root = tree(tmp_path, LAPTOP)
    rapl = Rapl(root)
    assert rapl.names == ["package-0"]
    (root / "sys/class/powercap/intel-rapl:0/energy_uj").write_text("3500000")
    assert rapl() == pytest.approx(2.5)


def test_a_counter_of_energy_may_wrap_around(tmp_path: Path) -> None:
    """Past its limit it begins again, and no joule is lost or counted twice."""
    root = tree(tmp_path, LAPTOP)
    rapl = Rapl(root)
    count = root / "sys/class/powercap/intel-rapl:0/energy_uj"
    told = []
    for value in (9_000_000, 500_000, 9_500_000, 100_000):
        count.write_text(str(value))
        told.append(rapl())
    # Up by 8 J; 1 J to the limit of 10 J and half a joule beyond; 9 J; half a joule and a tenth.
    assert told == pytest.approx([8.0, 9.5, 18.5, 19.1])


def test_a_counter_without_a_limit_loses_what_it_wrapped_and_never_runs_back(
    tmp_path: Path,
) -> None:
    """What cannot be known is not made up."""
    root = tree(tmp_path, LAPTOP)
    (root / "sys/class/powercap/intel-rapl:0/max_energy_range_uj").unlink()
    rapl = Rapl(root)
    count = root / "sys/class/powercap/intel-rapl:0/energy_uj"
    count.write_text("400000")
    assert rapl() == 0.0
    count.write_text("900000")
    assert rapl() == pytest.approx(0.5)


def test_a_battery_stands_in_where_the_processor_counts_nothing(tmp_path: Path) -> None:
    """Watt-hours become joules, and it is said that they are too coarse for a turn."""
    root = tree(tmp_path, BATTERY)
    joules, fine = sensors.energy(root)
    assert joules is not None
    assert (joules.source, fine) == ("battery BAT0", False)
    (root / "sys/class/power_supply/BAT0/energy_now").write_text("29990000")
    assert joules.read() == pytest.approx(36.0)


def test_a_battery_by_charge_and_voltage(tmp_path: Path) -> None:
    """Where no energy is told, charge times voltage is it."""
    root = tree(tmp_path, BATTERY)
    supply = root / "sys/class/power_supply/BAT0"
    (supply / "energy_now").unlink()
    (supply / "charge_now").write_text("2000000")
    (supply / "voltage_min_design").write_text("10000000")
    battery = Battery(root)
    (supply / "charge_now").write_text("1999000")
    assert battery() == pytest.approx(36.0)


def test_a_battery_that_is_charged_tells_nothing(tmp_path: Path) -> None:
    """Neither from the beginning nor once the cable is in."""
    root = tree(tmp_path, BATTERY)
    battery = Battery(root)
    (root / "sys/class/power_supply/BAT0/status").write_text("Charging")
    assert battery() is None
    assert Battery(root).names == []
