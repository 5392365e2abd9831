"""Write a growing result now and then, so that a crash after hours costs a minute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import fields

from edgevoice import files
from edgevoice.bench.result.result import BenchResult
from edgevoice.encoding import json_bytes

WRITE_EVERY = 60.0
"""Seconds between two writes, if writing takes less than a hundredth of that."""

WRITE_SHARE = 100


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
        self._due = ended + max(WRITE_EVERY, WRITE_SHARE * (ended - began))


def streamed(result: Struct) -> Iterator[str]:
    """A struct as JSON, in pieces: the text of a long soak in memory would look like a leak."""
    for number, field in enumerate(fields(result)):
        value = getattr(result, field.name)
        yield f"{',' if number else '{'}\n{json_bytes(field.encode_name).decode()}:"
        if not isinstance(value, tuple):
            yield json_bytes(value).decode()
            continue
        yield "["
        for place, item in enumerate(value):
            yield f"{',' if place else ''}\n{json_bytes(item).decode()}"
        yield "]"
    yield "\n}\n"
