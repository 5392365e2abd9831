"""`run --record-turns`: record every turn for `edgevoice replay`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from edgevoice.places import expanded

if TYPE_CHECKING:
    from edgevoice.bus import Bus
    from edgevoice.clock import Clock
    from edgevoice.recordings.turn_recorder import TurnRecorder
    from edgevoice.settings import Config

record_option = click.option(
    "--record-turns",
    metavar="DIR",
    help="Record audio and text of every turn in this folder, for `edgevoice replay`.",
)
old_record_option = click.option(
    "--keep-audio", metavar="DIR", hidden=True, help="The old name of --record-turns."
)


@contextlib.contextmanager
def turn_recorder(
    clock: Clock, bus: Bus, config: Config, folder: str, report: Callable[[str], None]
) -> Iterator[TurnRecorder | None]:
    """Record every turn in `folder` during the block; nothing if `folder` is empty.

    `report` receives a problem that occurs at the end, when no session can show it.
    """
    if not folder:
        yield None
        return
    from edgevoice.recordings.folder import RecordingsFolder
    from edgevoice.recordings.turn_recorder import TurnRecorder

    limits = config.recordings
    recordings = RecordingsFolder(expanded(folder), limits.turns, limits.megabytes)
    recorder = TurnRecorder(clock, bus, recordings)
    try:
        with recorder:
            yield recorder
    finally:
        if recorder.unreported:
            report(recorder.unreported)
