"""The progress of set-up: numbered steps with their time, and a bar for long ones.

On a terminal, a running step rewrites its line; in a log, it adds a line now and then.
"""

from __future__ import annotations

import shutil
import sys
import time

SECONDS_BETWEEN_LINES = 15.0
"""Seconds between two lines about a long step in a log."""


def spell(seconds: float) -> str:
    """A duration for people: 8 s, 2 min, 1 h 5 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


class Steps:
    """Prints steps such as `[2/7] name: done (3 s)` to standard error."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._number = 0
        self._name = ""
        self._began = 0.0
        self._printed_at = 0.0
        self._open = False
        self._live = sys.stderr.isatty()

    def begin(self, name: str) -> None:
        """Start the next step."""
        self._number += 1
        self._name = name
        self._began = self._printed_at = time.monotonic()
        self._write(f"{self._head()} …" if self._live else self._head())
        self._open = True

    def note(self, text: str) -> None:
        """Print a permanent line below the running step."""
        self._end_line()
        self._write(f"      {text}\n")

    def advance(self, share: float, doing: str = "") -> None:
        """Show that `share` in [0, 1] of the step is done, with an estimate of the time left."""
        now = time.monotonic()
        elapsed = now - self._began
        left = f", about {spell(elapsed * (1 - share) / share)} left" if share >= 0.1 else ""
        if self._live:
            filled = round(share * 24)
            bar = "█" * filled + "░" * (24 - filled)
            width = shutil.get_terminal_size().columns - 1
            self._write("\r\033[K" + f"{self._head()} {bar} {share:4.0%}{left}  {doing}"[:width])
            self._open = True
        elif now - self._printed_at >= SECONDS_BETWEEN_LINES:
            self._printed_at = now
            self.note(f"{share:.0%}{left}")

    def done(self, result: str = "done") -> None:
        """End the step, and print its result and time."""
        took = time.monotonic() - self._began
        text = result + (f" ({spell(took)})" if took >= 1 else "")
        if self._live:
            self._write(f"\r\033[K{self._head()} {text}\n")
        else:
            self._write(f" {text}\n" if self._open else f"      {text}\n")
        self._open = False

    def stop(self) -> None:
        """End the line of a failed step; the error follows below it."""
        self._end_line()

    def _head(self) -> str:
        return f"[{self._number}/{self._total}] {self._name}:"

    def _end_line(self) -> None:
        if self._open:
            self._write("\n")
        self._open = False

    def _write(self, text: str) -> None:
        print(text, end="", file=sys.stderr, flush=True)
