"""Write a growing result now and then, so that a crash after hours costs a minute."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgevoice import files
from edgevoice.bench.result.result import BenchResult, encoded

WRITE_EVERY = 60.0
"""Seconds from one write to the next."""


class ResultFile:
    """Writes a result to `where`, if that is not None. `now` is the session time.

    `say` is called with the first of several failures, for example of a full disk.
    """

    def __init__(
        self, where: Path | None, say: Callable[[str], None], now: Callable[[], float]
    ) -> None:
        self._where = where
        self._say = say
        self._now = now
        self._due = now() + WRITE_EVERY
        self._failing = False

    def keep(self, made: Callable[[], BenchResult]) -> None:
        """Write the result if it is time to."""
        if self._where is None or self._now() < self._due:
            return
        try:
            files.replace(self._where, [encoded(made())])
            self._failing = False
        except OSError as error:
            if not self._failing:
                self._say(f"what was measured cannot be kept for now: {error.strerror}")
            self._failing = True
        self._due = self._now() + WRITE_EVERY
