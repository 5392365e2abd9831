"""A report as CSV: a row for each turn, or for each variant."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from edgevoice.bench.report.report import Report, ReportColumn
from edgevoice.encoding import json_bytes


def turns(report: Report) -> str:
    """Every turn, also warm-ups, in the order asked.

    The columns are `file`, the fields of a turn, and `spans.NAME` in seconds for each span. Unknown
    values are empty.
    """
    return _csv(
        [
            {"file": source.name, **dict(_flat(msgspec.to_builtins(turn)))}
            for source in report.sources
            for turn in source.result.turns
        ]
    )


def summary(report: Report) -> str:
    """The statistics of each variant, for example `response_time.p50` and `spans.NAME.p95`."""
    return _csv([_summary(column) for column in report.columns])


def _summary(column: ReportColumn) -> dict[str, Any]:
    result = column.result
    settings = {**result.settings, **column.variant.settings}
    return {
        "file": column.source.name,
        "variant": column.variant.name,
        "started": result.started,
        "edgevoice": result.edgevoice,
        **{f"models.{role}": model.name for role, model in result.models.items()},
        "shapes": " ".join(column.synthetic),
        "machine": result.machine.cpu,
        "cores": result.machine.usable_cores,
        "settings": " ".join(f"{key}={_plain(value)}" for key, value in settings.items()),
        **dict(_flat(msgspec.to_builtins(column.summary))),
        "peak_rss": result.peak_rss,
    }


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Nested values by their path."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows under all names there are, those with the same first part together."""
    names = dict.fromkeys(name for row in rows for name in row)
    parts = list(dict.fromkeys(name.split(".")[0] for name in names))
    # A value that is null in one row and has parts in another is no column of its own.
    nested = {name.split(".")[0] for name in names if "." in name}
    heads = sorted(
        (name for name in names if name not in nested),
        key=lambda name: parts.index(name.split(".")[0]),
    )
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(heads)
    table.writerows([_plain(row.get(head)) for head in heads] for row in rows)
    return out.getvalue()


def _plain(value: object) -> object:
    """Text and numbers as they are, null as nothing, other values as JSON."""
    if value is None:
        return ""
    return json_bytes(value).decode() if isinstance(value, bool | list | tuple) else value
