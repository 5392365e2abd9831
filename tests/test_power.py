"""Battery and heat: fewer cores first, then a pause, and back once it is clearly better."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgevoice import events as ev
from edgevoice.bus import Bus
from edgevoice.config import load
from edgevoice.errors import ConfigError
from edgevoice.power import PowerLevel, PowerReading, PowerWatch, fast_cores, level
from edgevoice.profiles import PROFILES
from edgevoice.settings import PowerSettings
from edgevoice.testing.virtual import VirtualClock

SETTINGS = PowerSettings(watch=True, spare_percent=20, pause_percent=5, hot_c=70)


@pytest.mark.parametrize(
    ("reading", "before", "after"),
    [
        (PowerReading(), "normal", "normal"),
        (PowerReading(10, plugged=True), "normal", "normal"),
        (PowerReading(20, plugged=False), "normal", "spare"),
        (PowerReading(22, plugged=False), "spare", "spare"),
        (PowerReading(24, plugged=False), "spare", "normal"),
        (PowerReading(5, plugged=False), "normal", "pause"),
        (PowerReading(7, plugged=False), "pause", "pause"),
        (PowerReading(9, plugged=False), "pause", "spare"),
        (PowerReading(5, plugged=True), "pause", "normal"),
        (PowerReading(celsius=70), "normal", "spare"),
        (PowerReading(celsius=66), "spare", "spare"),
        (PowerReading(celsius=64), "spare", "normal"),
        (PowerReading(celsius=80), "spare", "pause"),
        (PowerReading(90, plugged=False, celsius=81), "normal", "pause"),
    ],
)
def test_levels(reading: PowerReading, before: PowerLevel, after: PowerLevel) -> None:
    """What the machine does not tell never counts; a step back needs a margin."""
    assert level(reading, SETTINGS, before) == after


class Session:
    """What a pause does to a session."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.bus = Bus(self.clock)
        self.muted = False
        self.notices: list[str] = []
        self.bus.subscribe(
            lambda event: self.notices.append(event.text) if isinstance(event, ev.Notice) else None
        )

    def mute(self, on: bool) -> None:
        self.muted = on


def watched(session: Session, *readings: PowerReading) -> list[tuple[bool, bool]]:
    """After each reading: whether cores are spared, and whether the microphone is off."""
    found: list[tuple[bool, bool]] = []
    spared = [False]
    coming = iter(readings)

    def read() -> PowerReading:
        reading = next(coming, None)
        if reading is None:
            watch.close()
            return readings[-1]
        return reading

    def spare(on: bool) -> None:
        spared[0] = on

    watch = PowerWatch(session, SETTINGS, spare, read)
    task = session.clock.spawn(watch.run, "power")
    for _ in readings:
        session.clock.sleep(5)
        found.append((spared[0], session.muted))
        session.clock.sleep(5)
    session.clock.sleep(20)
    assert task.join()
    return found


def test_a_battery_that_empties_and_is_charged() -> None:
    """Each step is told once, and undone."""
    session = Session()
    levels = [50, 19, 18, 4, 4, 12]
    readings = [PowerReading(percent, plugged=False) for percent in levels]
    steps = watched(session, *readings, PowerReading(13, plugged=True))
    normal, spare, pause = (False, False), (True, False), (True, True)
    assert steps == [normal, spare, spare, pause, pause, spare, normal]
    assert [text.split(":")[0] for text in session.notices] == [
        "battery 19 %",
        "battery 4 %",
        "battery 12 %",
        "",
    ]


def test_a_microphone_that_the_user_muted_stays_muted() -> None:
    """Only the watch's own pause is undone."""
    session = Session()
    session.muted = True
    watched(session, PowerReading(celsius=90), PowerReading(celsius=40))
    assert session.muted


def test_the_fast_cores_of_a_phone(tmp_path: Path) -> None:
    """By the kernel's own measure; where it is hidden, all."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) < 2:
        pytest.skip("one core is all there is")
    assert fast_cores(tmp_path) == set(cores)
    for cpu in cores:
        (tmp_path / f"cpu{cpu}").mkdir()
        (tmp_path / f"cpu{cpu}" / "cpu_capacity").write_text("250\n")
    (tmp_path / f"cpu{cores[0]}" / "cpu_capacity").write_text("1024\n")
    assert fast_cores(tmp_path) == {cores[0]}


def test_a_profile_is_overridden_by_every_other_setting(tmp_path: Path) -> None:
    """File, variable and flag."""
    file = tmp_path / "config.toml"
    file.write_text("[slm]\ncontext = 3000\n")
    plain = load(file, {}, profile="phone")
    assert (plain.config.slm.context, plain.config.slm.lock_memory) == (3000, False)
    assert plain.origins["slm.lock_memory"] == "--profile phone"
    by_variable = load(file, {"EDGEVOICE_PROFILE": "phone", "EDGEVOICE_POWER_HOT_C": "60"})
    assert by_variable.config.power.watch
    assert by_variable.config.power.hot_c == 60
    assert not load(file, {}, {"power.watch": "false"}, "phone").config.power.watch


@pytest.mark.parametrize("name", PROFILES)
def test_each_profile_is_valid(name: str, tmp_path: Path) -> None:
    """All its settings exist."""
    file = tmp_path / "config.toml"
    file.write_text("")
    assert load(file, {}, profile=name).config.power.watch


def test_an_unknown_profile_is_named_with_the_known_ones() -> None:
    """Also from the variable."""
    with pytest.raises(ConfigError, match="fridge") as caught:
        load(None, {"EDGEVOICE_PROFILE": "fridge"})
    assert "laptop-battery" in caught.value.remedy
