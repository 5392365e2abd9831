"""Metrics of `run` and `demo`: their options, and the export during a session."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from edgevoice.cli import complain

if TYPE_CHECKING:
    from edgevoice.bus import Bus
    from edgevoice.settings import MetricsSettings

METRICS_OPTIONS: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...] = (
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
    """The settings of these options; None for an option that was not given."""
    return {"metrics__prometheus": options["metrics"], "metrics__otel": options["otel"]}


def check(settings: MetricsSettings) -> None:
    """Check that metrics can be exported, before models are downloaded or loaded.

    Raises EdgevoiceError.
    """
    if settings.prometheus or settings.otel:
        from edgevoice.metrics.exporter import check

        check(settings)


@contextlib.contextmanager
def collected(
    settings: MetricsSettings, bus: Bus, report: Callable[[str], None] = complain
) -> Iterator[None]:
    """Export metrics during the block, if the settings say so.

    `report` receives problems that occur at the end, when no session can show them.
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
            report(text)
