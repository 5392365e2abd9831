"""What `run` and `demo` share about numbers: the options, and the way out while they last."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from edgevoice.cli import complain

if TYPE_CHECKING:
    from edgevoice.bus import Bus
    from edgevoice.settings import MetricsSettings

OPTIONS: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...] = (
    click.option(
        "--metrics",
        metavar="[HOST:]PORT",
        help="Serve metrics for Prometheus at this address; they contain no text.",
    ),
    click.option(
        "--otel/--no-otel",
        default=None,
        help="Send spans and metrics by OpenTelemetry (OTEL_* variables); they contain no text.",
    ),
)


def flags(options: dict[str, Any]) -> dict[str, Any]:
    """The settings that the options stand for; None where one was not given."""
    return {"metrics__prometheus": options["metrics"], "metrics__otel": options["otel"]}


def check(settings: MetricsSettings) -> None:
    """Find out whether the numbers can get out, before anything is fetched or loaded."""
    if settings.prometheus or settings.otel:
        from edgevoice.metrics.exporter import check

        check(settings)


@contextlib.contextmanager
def collected(
    settings: MetricsSettings, bus: Bus, tell: Callable[[str], None] = complain
) -> Iterator[None]:
    """Numbers of the conversation, where they are wanted; nothing is even imported where not.

    `tell` is given what goes wrong at the end, when no session shows it any more.
    """
    if not (settings.prometheus or settings.otel):
        yield
        return
    from edgevoice.metrics.exporter import opened

    late: list[str] = []
    try:
        with opened(settings, bus) as exporter:
            late = exporter.late
            yield
    finally:
        for text in late:
            tell(text)
