"""A report as one HTML page without scripts or network access, from page.html and charts.html."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from edgevoice.bench.report import charts, tables
from edgevoice.bench.report.report import (
    Report,
    ReportColumn,
    shown_turns,
    timings,
)
from edgevoice.bench.report.trend import clock, trend
from edgevoice.bench.result import device_text
from edgevoice.bench.result import text as result_text
from edgevoice.bench.result.result import Figures
from edgevoice.bench.result.wording import counted, ms
from edgevoice.bench.soak import text as soak_text
from edgevoice.waterfall import MEANING, shares

if TYPE_CHECKING:
    from jinja2 import Template


def read(name: str) -> str:
    """A file beside this one."""
    return (files("edgevoice.bench.report") / name).read_text("utf-8")


@cache
def template() -> Template:
    """The page, compiled once."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(read),
    )
    environment.filters.update(ms=ms, number=charts.number, clock=clock)
    environment.globals.update(vars(charts))
    return environment.get_template("page.html")


def page(report: Report) -> str:
    """The whole document."""
    labels = [column.label for column in report.columns]
    drawn = template().render(
        report=report,
        style=read("report.css"),
        labels=labels,
        alone=len(labels) == 1,
        by_label=_by_label,
        by_span=_by_span,
        stacked=_stacked,
        meanings=MEANING,
        device=device_text,
        result=result_text,
        soaks=soak_text,
        tables=tables,
        counted=counted,
        shares=shares,
        shown_turns=shown_turns,
        timings=timings,
        trend=trend,
        zip=zip,
    )
    return f"{drawn.lstrip()}\n"


def _by_label(columns: Iterable[ReportColumn]) -> dict[str, list[float]]:
    """The response times of each column that has any."""
    return {column.label: column.response_times for column in columns if column.response_times}


def _by_span(column: ReportColumn) -> dict[str, list[float]]:
    """The seconds of every turn, by response time and span."""
    spans = {n: [turn.spans.get(n, 0.0) for turn in column.timed] for n in column.summary.spans}
    return {"response time": column.response_times, **spans} if column.response_times else spans


def _stacked(report: Report) -> dict[str, dict[str, Figures]]:
    """The spans of each column that has response times."""
    return {
        c.label: dict(c.summary.spans)
        for c in report.columns
        if c.response_times and c.summary.spans
    }
