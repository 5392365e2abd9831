"""What `run` needs to keep every turn, where that is asked for."""

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
def keeping(
    clock: Clock, bus: Bus, config: Config, folder: str, tell: Callable[[str], None]
) -> Iterator[TurnRecorder | None]:
    """Keeps every turn in `folder` while the block lasts, or none where `folder` is empty.

    `tell` is given what goes wrong at the end, when no session shows it any more.
    """
    if not folder:
        yield None
        return
    from edgevoice.recordings.folder import RecordingsFolder
    from edgevoice.recordings.turn_recorder import TurnRecorder

    limits = config.recordings
    kept = RecordingsFolder(expanded(folder), limits.turns, limits.megabytes)
    recorder = TurnRecorder(clock, bus, kept)
    try:
        with recorder:
            yield recorder
    finally:
        if recorder.untold:
            tell(recorder.untold)
