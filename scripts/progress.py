"""What set-up shows: numbered steps with their time, and a bar for the ones that take long.

On a terminal a running step keeps rewriting its line; in a log it adds one now and then.
"""

from __future__ import annotations

import shutil
import sys
import time

SECONDS_BETWEEN_LINES = 15.0
"""How often a long step says in a log how far it is."""


def spell(seconds: float) -> str:
    """A duration as a person says it: 8 s, 2 min, 1 h 5 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


class Steps:
    """Prints `[2/7] name: done (3 s)`, one step after the other, to standard error."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._number = 0
        self._name = ""
        self._began = 0.0
        self._told = 0.0
        self._open = False
        self._live = sys.stderr.isatty()

    def begin(self, name: str) -> None:
        """A step begins."""
        self._number += 1
        self._name = name
        self._began = self._told = time.monotonic()
        self._write(f"{self._head()} …" if self._live else self._head())
        self._open = True

    def note(self, text: str) -> None:
        """A line that stays, under the step that is running."""
        self._end_line()
        self._write(f"      {text}\n")

    def advance(self, share: float, doing: str = "") -> None:
        """The step is done by `share` in [0, 1]; time left follows from the time it took so far."""
        now = time.monotonic()
        elapsed = now - self._began
        left = f", about {spell(elapsed * (1 - share) / share)} left" if share >= 0.1 else ""
        if self._live:
            filled = round(share * 24)
            bar = "█" * filled + "░" * (24 - filled)
            width = shutil.get_terminal_size().columns - 1
            self._write("\r\033[K" + f"{self._head()} {bar} {share:4.0%}{left}  {doing}"[:width])
            self._open = True
        elif now - self._told >= SECONDS_BETWEEN_LINES:
            self._told = now
            self.note(f"{share:.0%}{left}")

    def done(self, how: str = "done") -> None:
        """The step is over."""
        took = time.monotonic() - self._began
        told = how + (f" ({spell(took)})" if took >= 1 else "")
        if self._live:
            self._write(f"\r\033[K{self._head()} {told}\n")
        else:
            self._write(f" {told}\n" if self._open else f"      {told}\n")
        self._open = False

    def stop(self) -> None:
        """Leave the step as it is: something went wrong and will be told below it."""
        self._end_line()

    def _head(self) -> str:
        return f"[{self._number}/{self._total}] {self._name}:"

    def _end_line(self) -> None:
        if self._open:
            self._write("\n")
        self._open = False

    def _write(self, text: str) -> None:
        print(text, end="", file=sys.stderr, flush=True)
