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
    from edgevoice.kept.keeper import Keeper
    from edgevoice.settings import Config

keep_option = click.option(
    "--keep-audio",
    metavar="DIR",
    help="Record audio and text of every turn in this folder, for `edgevoice replay`.",
)


@contextlib.contextmanager
def keeping(
    clock: Clock, bus: Bus, config: Config, folder: str, tell: Callable[[str], None]
) -> Iterator[Keeper | None]:
    """Keeps every turn in `folder` while the block lasts, or none where `folder` is empty.

    `tell` is given what goes wrong at the end, when no session shows it any more.
    """
    if not folder:
        yield None
        return
    from edgevoice.kept.folder import KeptFolder
    from edgevoice.kept.keeper import Keeper

    limits = config.keep
    kept = KeptFolder(expanded(folder), limits.turns, limits.megabytes)
    keeper = Keeper(clock, bus, kept)
    try:
        with keeper:
            yield keeper
    finally:
        if keeper.untold:
            tell(keeper.untold)
