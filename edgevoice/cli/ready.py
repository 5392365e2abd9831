"""Make sure that a command has its models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgevoice.cli import Context, metrics

if TYPE_CHECKING:
    from edgevoice.settings import Config


def ready(context: Context, overrides: dict[str, str]) -> Config:
    """The configuration; downloads the models it needs, and chooses the cores to compute on."""
    config = context.load(overrides).config
    if config.power.fast_cores:
        from edgevoice.power import stay_on_fast_cores

        stay_on_fast_cores()  # before an engine counts the cores
    metrics.check(config.metrics)
    from edgevoice.cli.models import too_slow
    from edgevoice.models.progress import shown
    from edgevoice.models.pull import ensure_starter
    from edgevoice.models.store import Store

    with shown() as progress:
        ensure_starter(Store(config), progress, is_slow=too_slow)
    return config
