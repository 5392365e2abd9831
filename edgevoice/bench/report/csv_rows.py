"""A report as CSV: a row a turn, or a row a way of answering, for whoever counts on with it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from edgevoice.bench.report.report import Report, ReportColumn
from edgevoice.encoding import json_bytes


def turns(report: Report) -> str:
    """Every turn, also those that warmed up, in the order in which they were asked.

    Columns are the fields of a turn as in docs/reference/formats.md, `file` before them, and
    `spans.NAME` for each span in seconds. What is not known is empty.
    """
    return _written(
        [
            {"file": source.name, **_flat(msgspec.to_builtins(turn))}
            for source in report.sources
            for turn in source.result.turns
        ]
    )


def summary(report: Report) -> str:
    """The figures of each column of the report: `gap.p50`, `spans.NAME.p95` and so on."""
    return _written([_summed(column) for column in report.columns])


def _summed(column: ReportColumn) -> dict[str, Any]:
    result = column.result
    settings = {**result.settings, **column.variant.settings}
    return {
        "file": column.source.name,
        "variant": column.variant.name,
        "started": result.started,
        "edgevoice": result.edgevoice,
        **{f"models.{role}": model.name for role, model in result.models.items()},
        "shapes": " ".join(column.shapes),
        "machine": result.machine.cpu,
        "cores": result.machine.usable_cores,
        "settings": " ".join(f"{key}={_plain(value)}" for key, value in settings.items()),
        **_flat(msgspec.to_builtins(column.summary)),
        "peak_rss": result.peak_rss,
    }


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested values by their path, with points between its parts."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found.update(_flat(value, f"{before}{key}."))
        else:
            found[f"{before}{key}"] = value
    return found


def _written(rows: Sequence[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    heads = _heads(rows)
    table = csv.writer(out, lineterminator="\n")
    table.writerow(heads)
    table.writerows([_plain(row.get(head)) for head in heads] for row in rows)
    return out.getvalue()


def _heads(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """All columns there are, those of one part of a turn together. What is None in one row and has
    parts in another is no column of its own."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    parts = list(dict.fromkeys(name.split(".")[0] for name in names))
    whole = {name for name in names if not any(n.startswith(f"{name}.") for n in names)}
    return [
        name for part in parts for name in names if name.split(".")[0] == part and name in whole
    ]


def _plain(value: object) -> object:
    """As JSON writes it, but for text; what is not there is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return json_bytes(value).decode()
    return value
