"""Progress is readable where nobody can redraw a line."""

from __future__ import annotations

import io
import sys

import pytest

from edgevoice.models.progress import ProgressBar, ProgressLines, shown


class Hands:
    """A clock that is set by hand; seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_lines_tell_percent_rate_and_time_left() -> None:
    """About every tenth there is one line, with the rate so far and what it means for the rest."""
    out, clock = io.StringIO(), Hands()
    lines = ProgressLines(out, clock)
    lines.begin("model", 100_000_000)
    for done in range(0, 100_000_001, 1_000_000):
        clock.now = done / 5_000_000
        lines.reach(done)
    lines.end()
    said = out.getvalue().splitlines()
    assert said[0] == "model: 100 MB"
    assert said[1] == "model: 10 %  5 MB/s, 18 s left"
    assert said[-1] == "model: done"
    assert len(said) == 11


def test_lines_count_the_rate_from_where_it_went_on() -> None:
    """What an earlier pull had left is not taken for speed."""
    out, clock = io.StringIO(), Hands()
    lines = ProgressLines(out, clock)
    lines.begin("model", 100_000_000, 50_000_000)
    clock.now = 10.0
    lines.reach(60_000_000)
    assert out.getvalue().splitlines() == [
        "model: 100 MB, resumed at 50 MB",
        "model: 60 %  1 MB/s, 40 s left",
    ]


def test_an_unfinished_piece_is_not_called_done() -> None:
    """A source that failed leaves no word of success."""
    out = io.StringIO()
    lines = ProgressLines(out)
    lines.begin("model", 100_000_000)
    lines.reach(99_000_000)
    lines.end()
    assert "done" not in out.getvalue()


def test_small_work_is_not_shown() -> None:
    """A file of a few kilobytes passes without a line."""
    out = io.StringIO()
    lines = ProgressLines(out)
    lines.begin("config.json", 2000)
    lines.reach(2000)
    lines.end()
    assert out.getvalue() == ""


def test_a_terminal_gets_a_bar_and_a_pipe_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown depends on where it goes, not on an option; on a dumb terminal, a bar would
    be seen only at its end."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with shown(terminal) as progress:
        assert isinstance(progress, ProgressBar)
        progress.begin("model", 100_000_000)
        progress.reach(50_000_000)
        progress.say("a remark")
        progress.end()
    assert "a remark" in terminal.getvalue()
    assert "model" in terminal.getvalue()
    with shown(io.StringIO()) as progress:
        assert isinstance(progress, ProgressLines)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("TERM", "dumb")
    with shown(Terminal()) as progress:
        assert isinstance(progress, ProgressLines)
