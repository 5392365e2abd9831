"""Progress of long work on files: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO

from edgevoice.harmless import harmless, one_line
from edgevoice.models.disk import size_text
from edgevoice.terminal import redraws

if TYPE_CHECKING:
    import rich.progress


MIN_SHOWN_BYTES = 5_000_000
"""Work on fewer bytes is too short to be shown."""


class Progress(Protocol):
    """Receives the progress of the work, in bytes."""

    def begin(self, label: str, total: int, done: int = 0) -> None:
        """Start a piece of work of `total` bytes, of which `done` exist already."""

    def reach(self, done: int) -> None:
        """`done` bytes are done now; fewer than before if a source was bad."""

    def end(self) -> None:
        """The piece of work has ended, finished or not."""

    def say(self, line: str) -> None:
        """A message, for example which source is tried next."""


class NoProgress:
    """Progress that is not shown."""

    def begin(self, label: str, total: int, done: int = 0) -> None:
        """Ignored."""

    def reach(self, done: int) -> None:
        """Ignored."""

    def end(self) -> None:
        """Ignored."""

    def say(self, line: str) -> None:
        """Ignored."""


class ProgressLines:
    """Progress as plain lines: about one for each tenth, at least a second apart."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._total = 0

    def begin(self, label: str, total: int, done: int = 0) -> None:
        """Print the label and the size."""
        self._label, self._total, self._start, self._done = label, total, done, done
        if total < MIN_SHOWN_BYTES:
            self._total = 0
            return
        self._tenth = done * 10 // self._total
        self._started_at = self._clock()
        self._last_line_at = self._started_at
        resumed = f", resumed at {size_text(done)}" if done else ""
        self.say(f"{label}: {size_text(total)}{resumed}")

    def reach(self, done: int) -> None:
        """Print a line after each tenth."""
        if not self._total:
            return
        self._done = done
        tenth = done * 10 // self._total
        now = self._clock()
        if tenth <= self._tenth or done >= self._total or now - self._last_line_at < 1.0:
            return
        self._tenth, self._last_line_at = tenth, now
        seconds = now - self._started_at
        rate = (done - self._start) / seconds if seconds > 0 else 0.0
        left = f", {(self._total - done) / rate:.0f} s left" if rate > 0 else ""
        self.say(f"{self._label}: {tenth * 10} %  {size_text(rate)}/s{left}")

    def end(self) -> None:
        """Print a line if the work is done."""
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
        if total >= MIN_SHOWN_BYTES:
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
    """Shows progress on stderr in a `with` block: bars where they can be redrawn, or lines."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._live: rich.progress.Progress | None = None

    def __enter__(self) -> Progress:
        if not redraws(self._out):
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
