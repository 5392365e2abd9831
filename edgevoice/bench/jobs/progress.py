"""How far a bench has come, and how long it will take: a bar on a terminal, else plain lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

from edgevoice.harmless import harmless, one_line
from edgevoice.terminal import redraws

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class BenchProgress(Protocol):
    """Takes reports of work. Its measure is the time in seconds that work was expected to take."""

    def begin(self, what: str, total: float) -> None:
        """Work of about `total` seconds begins; 0: unknown."""

    def done(self, seconds: float, line: str) -> None:
        """Work that was expected to take `seconds` is done; `line` is its outcome."""

    def say(self, line: str) -> None:
        """A remark."""


class BenchProgressLines:
    """Progress as plain lines: one for each piece of work, with the time left."""

    def __init__(self, out: TextIO, now: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._now = now
        self._since = now()
        self._total = self._done = 0.0

    def begin(self, what: str, total: float) -> None:
        self._since, self._total, self._done = self._now(), total, 0.0
        self.say(f"{what}: about {duration(total)}" if total else what)

    def done(self, seconds: float, line: str) -> None:
        self._done += seconds
        rest = max(0.0, self._total - self._done)
        left = rest * (self._now() - self._since) / self._done if self._done else rest
        self.say(f"{line}  ({duration(left)} left)" if left > 0 else line)

    def say(self, line: str) -> None:
        print(harmless(line), file=self._out, flush=True)


class BenchProgressBar:
    """Progress as a bar below the lines, on a terminal."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def begin(self, what: str, total: float) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
        self._task = self._bars.add_task(one_line(what), total=total or None)

    def done(self, seconds: float, line: str) -> None:
        self.say(line)
        if self._task is not None:
            self._bars.advance(self._task, seconds)

    def say(self, line: str) -> None:
        self._bars.console.print(harmless(line), markup=False, highlight=False, soft_wrap=True)


def duration(seconds: float) -> str:
    """`42 s`, `3 min 20 s` or `1 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


@contextmanager
def shown() -> Iterator[BenchProgress]:
    """Progress on standard error for as long as the block lasts."""
    if not redraws(sys.stderr):
        yield BenchProgressLines(sys.stderr)
        return
    from rich import progress as rich
    from rich.console import Console

    with rich.Progress(
        rich.TextColumn("{task.description}", markup=False),
        rich.BarColumn(),
        rich.TaskProgressColumn(),
        rich.TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        transient=True,
        speed_estimate_period=600.0,  # a question takes ten seconds
    ) as bars:
        yield BenchProgressBar(bars)
