"""The file of timers, and the command that lists them."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from edgevoice.errors import NoHomeError, StorageError
from edgevoice.settings import Config
from edgevoice.skills import moments
from edgevoice.skills.setup import answered_at_once
from edgevoice.skills.timers import Timers
from tests.command import edgevoice

NOW = datetime.datetime(2026, 12, 1, 12, 0)


class Wall:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_timers_survive_a_restart_to_the_second(tmp_path: Path) -> None:
    """A cut of the power, or a sleep, changes nothing about when they are due."""
    wall, path = Wall(), tmp_path / "timers.json"
    timer = Timers(path, wall).add("timer", wall.now + 600, "tea", "en")
    wall.now += 599.9
    after = Timers(path, wall)
    assert (list(after.all()), after.due()) == ([timer], [])
    wall.now += 0.2
    assert after.due() == [timer]


def test_another_process_sees_a_change_at_once(tmp_path: Path) -> None:
    """`edgevoice timers` cancels one of a running session."""
    wall, path = Wall(), tmp_path / "timers.json"
    session, command = Timers(path, wall), Timers(path, wall)
    timer = session.add("reminder", wall.now + 60, "call mum", "en")
    assert command.remove([timer.number]) == [timer]
    assert session.all() == []


def test_a_paused_timer_keeps_its_rest(tmp_path: Path) -> None:
    """However long the pause."""
    wall = Wall()
    timers = Timers(tmp_path / "timers.json", wall)
    timers.pause(timers.add("timer", wall.now + 100), True)
    wall.now += 5000
    (paused,) = timers.all()
    assert (paused.left, timers.due()) == (100, [])
    timers.pause(paused, False)
    assert timers.all()[0].due == wall.now + 100


def test_a_damaged_file_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    """It names the file."""
    path = tmp_path / "timers.json"
    path.write_text("[{]")
    with pytest.raises(StorageError, match="the timers cannot be read") as failed:
        Timers(path, Wall()).all()
    assert str(path) in str(failed.value)


def test_the_command_lists_and_cancels() -> None:
    """What `ask` has set without a language model."""
    done = edgevoice("ask", "set a pasta timer for ten minutes")
    assert "10 minutes" in done.stdout
    listed = edgevoice("timers")
    assert "pasta" in listed.stdout
    assert edgevoice("timers", "cancel", "7").returncode == 2
    assert "pasta" in edgevoice("timers", "cancel", "1").stdout
    assert edgevoice("timers").stdout == "no timers\n"


@pytest.mark.parametrize(
    ("args", "wakes", "expected"),
    [
        ({"hour": 7, "minute": 0, "half": ""}, True, datetime.datetime(2026, 12, 2, 7, 0)),
        ({"hour": 5, "minute": 0, "half": ""}, False, datetime.datetime(2026, 12, 1, 17, 0)),
        ({"hour": 12, "minute": 0, "half": "am"}, True, datetime.datetime(2026, 12, 2, 0, 0)),
        (
            {"hour": 9, "minute": 30, "half": "", "day": "tuesday"},
            True,
            datetime.datetime(2026, 12, 8, 9, 30),
        ),
        (
            {"hour": 3, "minute": 0, "half": "", "day": "tomorrow"},
            False,
            datetime.datetime(2026, 12, 2, 15, 0),
        ),
    ],
)
def test_a_time_of_day_is_the_next_one_that_is_meant(
    args: dict[str, object], wakes: bool, expected: datetime.datetime
) -> None:
    """An alarm is by 24 hours; a reminder at five is in the afternoon."""
    assert moments.moment(args, NOW, wakes) == expected


@pytest.mark.parametrize(
    ("year", "expected"), [(2026, "2026-04-05"), (2027, "2027-03-28"), (2038, "2038-04-25")]
)
def test_easter_is_on_its_sunday(year: int, expected: str) -> None:
    """By the calendar of the churches."""
    assert str(moments.easter(year)) == expected


def test_without_a_home_folder_the_skills_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service has nowhere to keep timers, and keeps them in memory."""

    def no_home(kind: str) -> Path:
        raise NoHomeError("there is no home folder")

    monkeypatch.setattr("edgevoice.skills.setup.user_folder", no_home)
    assert answered_at_once("what is two plus two", Config()) == "4."
