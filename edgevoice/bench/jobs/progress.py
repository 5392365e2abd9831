"""How far a bench has come, and how long it will take: a bar on a terminal, else plain lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

from edgevoice.harmless import harmless, one_line


class BenchProgress(Protocol):
    """What is told how far the work has come. Its measure is seconds of work as expected before."""

    def begin(self, what: str, total: float) -> None:
        """Work of about `total` seconds begins."""

    def done(self, seconds: float, line: str) -> None:
        """Work that was expected to take `seconds` is done; `line` says what came of it."""

    def say(self, line: str) -> None:
        """A remark."""


class BenchProgressLines:
    """Progress as plain lines: one for each piece of work, with the time that is left."""

    def __init__(self, out: TextIO, now: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._now = now
        self._left = _Left(now)

    def begin(self, what: str, total: float) -> None:
        self._left = _Left(self._now, total)
        self.say(f"{what}: about {duration(total)}" if total else what)

    def done(self, seconds: float, line: str) -> None:
        left = self._left.after(seconds)
        self.say(f"{line}  ({duration(left)} left)" if left > 0 else line)

    def say(self, line: str) -> None:
        print(harmless(line), file=self._out, flush=True)


class BenchProgressBar:
    """Progress as a bar below the lines, on a terminal."""

    def __init__(self, out: TextIO) -> None:
        from rich import progress as bars
        from rich.console import Console

        self._left = _Left(time.monotonic)
        self._live = bars.Progress(
            bars.TextColumn("{task.description}", markup=False),
            bars.BarColumn(),
            bars.TaskProgressColumn(),
            bars.TextColumn("{task.fields[left]}", markup=False),
            console=Console(file=out),
            transient=True,
        )
        self._task: bars.TaskID | None = None

    def __enter__(self) -> BenchProgressBar:
        self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.stop()

    def begin(self, what: str, total: float) -> None:
        self._left = _Left(time.monotonic, total)
        if self._task is not None:
            self._live.remove_task(self._task)
        left = f"{duration(total)} left" if total else ""
        self._task = self._live.add_task(one_line(what), total=total or None, left=left)

    def done(self, seconds: float, line: str) -> None:
        self.say(line)
        left = self._left.after(seconds)
        if self._task is not None:
            self._live.update(self._task, advance=seconds, left=f"{duration(left)} left")

    def say(self, line: str) -> None:
        self._live.console.print(harmless(line), markup=False, highlight=False, soft_wrap=True)


class _Left:
    """The time that is left, from how long what is done has taken beside what was expected."""

    def __init__(self, now: Callable[[], float], total: float = 0.0) -> None:
        self._now = now
        self._since = now()
        self._total = total
        self._done = 0.0

    def after(self, seconds: float) -> float:
        self._done += seconds
        rest = max(0.0, self._total - self._done)
        return rest * (self._now() - self._since) / self._done if self._done else rest


def duration(seconds: float) -> str:
    """`42 s`, `3 min 20 s` or `1 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


@contextmanager
def shown(out: TextIO | None = None) -> Iterator[BenchProgress]:
    """Progress on `out` (stderr) for as long as the block lasts."""
    out = out or sys.stderr
    if not out.isatty():
        yield BenchProgressLines(out)
        return
    with BenchProgressBar(out) as bar:
        yield bar
