"""A result that is on disk while it still grows, so that a crash after hours costs a minute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import fields

from edgevoice import files
from edgevoice.bench.result.result import BenchResult
from edgevoice.encoding import json_bytes

EVERY = 60.0
"""Seconds from one writing to the next."""

SHARE = 100
"""And this many times as long as writing takes: it grows with what was measured."""


class ResultFile:
    """Writes a result to `where` now and then; None is nowhere. `now` tells session time.

    A failure (a full disk) is told to `say`, once until it works again, and ends nothing.
    """

    def __init__(
        self, where: Path | None, say: Callable[[str], None], now: Callable[[], float]
    ) -> None:
        self._where = where
        self._say = say
        self._now = now
        self._due = now() + EVERY
        self._failing = False

    def keep(self, made: Callable[[], BenchResult]) -> None:
        """Write what is `made`, if it is time to."""
        began = self._now()
        if self._where is None or began < self._due:
            return
        try:
            files.replace(self._where, streamed(made()))
            self._failing = False
        except OSError as error:
            if not self._failing:
                self._say(f"what was measured cannot be kept for now: {error.strerror}")
            self._failing = True
        ended = self._now()
        self._due = ended + max(EVERY, SHARE * (ended - began))


def streamed(result: Struct) -> Iterator[str]:
    """A struct as JSON, in pieces: a result of hours is never in memory as text as a whole, which
    would look like a leak."""

    def text(value: object) -> str:
        return json_bytes(value).decode()

    yield "{"
    for number, field in enumerate(fields(result)):
        value = getattr(result, field.name)
        yield f"{',' if number else ''}\n{text(field.encode_name)}:"
        if not isinstance(value, tuple):
            yield text(value)
            continue
        yield "["
        for place, item in enumerate(value):
            yield f"{',' if place else ''}\n{text(item)}"
        yield "]"
    yield "\n}\n"
