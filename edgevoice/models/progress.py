"""How far long work on files has come: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO

from edgevoice.harmless import harmless, one_line
from edgevoice.models.disk import size_text

if TYPE_CHECKING:
    import rich.progress


SMALL = 5_000_000
"""Work on fewer bytes is over before a line about it could be read, and is not shown."""


class Progress(Protocol):
    """What is told how far the work has come. Counts are bytes."""

    def begin(self, label: str, total: int, done: int = 0) -> None:
        """A new piece of work, `done` of whose `total` bytes were there before."""

    def reach(self, done: int) -> None:
        """So many bytes of it are done now; may go back when a source turns out bad."""

    def end(self) -> None:
        """The piece of work is over, finished or not."""

    def say(self, line: str) -> None:
        """A remark, such as which source is tried next."""


class NoProgress:
    """Progress that nobody sees."""

    def begin(self, label: str, total: int, done: int = 0) -> None:
        """Ignored."""

    def reach(self, done: int) -> None:
        """Ignored."""

    def end(self) -> None:
        """Ignored."""

    def say(self, line: str) -> None:
        """Ignored."""


class ProgressLines:
    """Progress as plain lines: one about every tenth of the work, a second apart at least."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._total = 0

    def begin(self, label: str, total: int, done: int = 0) -> None:
        """Print what begins."""
        self._label, self._total, self._start, self._done = label, total, done, done
        if total < SMALL:
            self._total = 0
            return
        self._tenth = done * 10 // self._total
        self._since = self._clock()
        self._spoke = self._since
        kept = f", {size_text(done)} of it here already" if done else ""
        self.say(f"{label}: {size_text(total)}{kept}")

    def reach(self, done: int) -> None:
        """Print a line when another tenth is done."""
        if not self._total:
            return
        self._done = done
        tenth = done * 10 // self._total
        now = self._clock()
        if tenth <= self._tenth or done >= self._total or now - self._spoke < 1.0:
            return
        self._tenth, self._spoke = tenth, now
        seconds = now - self._since
        rate = (done - self._start) / seconds if seconds > 0 else 0.0
        left = f", {(self._total - done) / rate:.0f} s left" if rate > 0 else ""
        self.say(f"{self._label}: {tenth * 10} %  {size_text(rate)}/s{left}")

    def end(self) -> None:
        """Print that it is done, if it is."""
        if self._total and self._done >= self._total:
            self.say(f"{self._label}: done")

    def say(self, line: str) -> None:
        """Print the line."""
        print(harmless(line), file=self._out, flush=True)


class ProgressBar:
    """Progress as a bar with rate and time left."""

    def __init__(self, live: rich.progress.Progress) -> None:
        self._live = live
        self._task: rich.progress.TaskID | None = None

    def begin(self, label: str, total: int, done: int = 0) -> None:
        """Show a new bar."""
        if total >= SMALL:
            self._task = self._live.add_task(one_line(label), total=total, completed=done)

    def reach(self, done: int) -> None:
        """Move the bar."""
        if self._task is not None:
            self._live.update(self._task, completed=done)

    def end(self) -> None:
        """Leave the bar as it is."""
        if self._task is not None:
            self._live.stop_task(self._task)
            self._task = None

    def say(self, line: str) -> None:
        """Print the line above the bars."""
        self._live.console.print(harmless(line), markup=False, highlight=False)


class shown:
    """Progress on stderr for the length of a `with` block: bars on a terminal, else lines."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._live: rich.progress.Progress | None = None

    def __enter__(self) -> Progress:
        if not self._out.isatty():
            return ProgressLines(self._out)
        from rich import progress as bars
        from rich.console import Console

        self._live = bars.Progress(
            bars.TextColumn("{task.description}", markup=False),
            bars.BarColumn(),
            bars.DownloadColumn(),
            bars.TransferSpeedColumn(),
            bars.TimeRemainingColumn(),
            console=Console(file=self._out),
        )
        self._live.start()
        return ProgressBar(self._live)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
