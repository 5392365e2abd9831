"""A report as one HTML page that needs nothing beside itself: no network, no script.

page.html says what stands where; the rows of its tables are from tables.py, its pictures from
charts.py and trend.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

from edgevoice.bench.report import charts, tables, wording
from edgevoice.bench.report.markup import Markup
from edgevoice.bench.report.report import Report, ReportSource, shown_turns, timings
from edgevoice.bench.report.trend import described, trend
from edgevoice.bench.result.wording import counted, ms
from edgevoice.bench.soak.text import headline, shown
from edgevoice.waterfall import MEANING, shares

BASELINE_MEANING = {
    "silence": "silence: 700 ms of it end the question",
    "transcribe": "the whole recording to text",
    "reply": "the whole prompt, then the whole reply",
}
"""The spans of the plain sequence that the pipeline does not have, in words."""


def page(report: Report) -> str:
    """The whole document."""
    from jinja2 import Environment, StrictUndefined

    here = files("edgevoice.bench.report")
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    environment.filters["ms"] = ms
    template = environment.from_string((here / "page.html").read_text("utf-8"))
    # Ours, and holds no text of a result: a style element is not to be escaped.
    style = Markup((here / "report.css").read_text("utf-8"))
    labels = [column.label for column in report.columns]
    alone = len(labels) == 1
    drawn = template.render(_said(), report=report, style=style, labels=labels, alone=alone)
    return f"{drawn.lstrip()}\n"


def _said() -> dict[str, Any]:
    """What the template calls."""
    return {
        "charts": charts,
        "column_facts": wording.facts,
        "counted": counted,
        "counts": wording.counts,
        "described": described,
        "devices": _devices,
        "differing": wording.differing,
        "flags": wording.flags,
        "headline": headline,
        "meaning": lambda name: MEANING.get(name, BASELINE_MEANING.get(name, "")),
        "shares": shares,
        "shown_turns": shown_turns,
        "tables": tables,
        "timings": timings,
        "trend": trend,
        "troubles": wording.troubles,
        "windows": shown,
        "zip": zip,
    }


def _devices(report: Report) -> Iterator[tuple[ReportSource, list[str], Sequence[tables.Row]]]:
    """What each file tells of its machine, and how near each stage came to its limits."""
    for source in report.sources:
        lines = wording.device_words(source.result)
        floors = tables.roofline(source.result.roofline)
        if lines or floors:
            yield source, lines, floors
