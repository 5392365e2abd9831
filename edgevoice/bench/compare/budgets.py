"""Limits that a run must keep, as `first_audio.p95=900ms`, for a pipeline that must not decay."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from edgevoice.bench.result.quantities import KNOWN_SPANS
from edgevoice.bench.result.result import Figures, Summary
from edgevoice.errors import UsageError

Kind = Literal["time", "rate", "count", "share"]

STATISTICS = ("p50", "p90", "p95", "p99", "mean")
OTHERS = ("gap", "ttft", "tokens_per_second", "underruns", "dropped", "cut_off", "wer")
ALIASES = {"first_audio": "gap"}

_KINDS: dict[str, Kind] = {
    "tokens_per_second": "rate",
    "underruns": "count",
    "dropped": "count",
    "cut_off": "count",
    "wer": "share",
}
_FORM = re.compile(
    r"(?P<name>[a-z_]+)(?:\.(?P<statistic>\w+))?\s*(?P<sign><=|>=|=)\s*"
    r"(?P<number>\d+(?:\.\d+)?|\.\d+)\s*(?P<unit>\S*)"
)


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit. `limit` is in seconds, tokens a second, times or turns, or a share."""

    text: str
    name: str
    kind: Kind
    statistic: str
    at_most: bool
    limit: float


class BudgetOutcome(Struct, frozen=True, kw_only=True):
    """What became of a budget; `value` is in the limit's unit, null where nothing was measured."""

    budget: str
    """The budget as given."""
    value: float | None
    """The measured value; null where nothing was measured."""
    limit: float
    """The limit, in the same unit."""
    kept: bool
    """Whether the budget is met."""
    told: str
    """The printed line."""


def parse(text: str, spans: Iterable[str] = ()) -> Budget:
    """Read one budget; `spans` may be named besides those that every answer has.

    Without a statistic, p50 of a rate is meant; `=` means no worse than. Raises UsageError, which
    lists what may be named.
    """
    names = nameable(spans)
    found = _FORM.fullmatch(text.strip())
    if not found:
        raise _wrong(f"not a budget: {text!r}", names)
    name = ALIASES.get(found["name"], found["name"])
    if name not in names:
        raise _wrong(f"nothing is called {found['name']!r}, in the budget {text!r}", names)
    kind = _KINDS.get(name, "time")
    statistic = found["statistic"] or ("p50" if kind == "rate" else "")
    if kind in ("time", "rate") and statistic not in STATISTICS:
        what = f"{statistic!r} is no statistic" if statistic else "it takes a statistic"
        raise _wrong(f"{what}, in the budget {text!r}", names)
    if kind in ("count", "share") and statistic:
        raise _wrong(f"{name} is counted over all turns and has no {statistic}: {text!r}", names)
    kind, limit = _limit(text, name, kind, float(found["number"]), found["unit"], names)
    at_most = found["sign"] == "<=" or (found["sign"] == "=" and kind != "rate")
    return Budget(text.strip(), name, kind, statistic, at_most, limit)


def nameable(spans: Iterable[str] = ()) -> tuple[str, ...]:
    """Everything that a budget can be set for, but for aliases."""
    known = dict.fromkeys(span.replace(" ", "_") for span in (*KNOWN_SPANS, *spans))
    return (OTHERS[0], *known, *OTHERS[1:])


def check(budgets: Sequence[Budget], summary: Summary) -> list[BudgetOutcome]:
    """Each of them against one variant of a run. Where nothing was measured, it is not kept."""
    return [_outcome(budget, _value(budget, summary)) for budget in budgets]


def _outcome(budget: Budget, value: float | None) -> BudgetOutcome:
    limit = budget.limit
    kept = value is not None and (value <= limit if budget.at_most else value >= limit)
    what = f"{budget.name} {budget.statistic}".rstrip()
    is_, may = "nothing was measured", ""
    if value is not None:
        is_, may = _apart(value, limit, budget.kind)
    bound = f"at {'most' if budget.at_most else 'least'} {may or _text(limit, budget.kind, 1)}"
    told = f"budget {'kept' if kept else 'broken'}: {what} {is_}, {bound} ({budget.text})"
    return BudgetOutcome(budget=budget.text, value=value, limit=limit, kept=kept, told=told)


def _limit(
    text: str, name: str, kind: Kind, number: float, unit: str, names: Sequence[str]
) -> tuple[Kind, float]:
    """The limit in its own unit; dropped and cut off turns may be counted or be a share."""
    match kind, unit:
        case "time", "ms":
            return kind, number / 1000
        case "time", "s":
            return kind, number
        case "share", "%":
            return kind, number / 100
        case "count", "%" if name != "underruns":
            return "share", number / 100
        case (("rate" | "count"), ""):
            return kind, number
        case _:
            wanted = {"time": "ms or s", "rate": "none", "count": "none", "share": "%"}
            given = f"not {unit!r}" if unit else "and it is missing"
            raise _wrong(f"its unit is {wanted[kind]}, {given}: {text!r}", names)


def _value(budget: Budget, summary: Summary) -> float | None:
    match budget.name:
        case "gap":
            return _statistic(summary.gap, budget.statistic)
        case "ttft":
            return _statistic(summary.ttft, budget.statistic)
        case "tokens_per_second":
            return _statistic(summary.tokens_per_second, budget.statistic)
        case "wer":
            return summary.wer
        case "underruns" | "dropped" | "cut_off":
            if not summary.turns:
                return None
            count = float(getattr(summary, budget.name))
            return count / summary.turns if budget.kind == "share" else count
        case _:
            spans = {name.replace(" ", "_"): found for name, found in summary.spans.items()}
            return _statistic(spans.get(budget.name), budget.statistic)


def _statistic(figures: Figures | None, name: str) -> float | None:
    found: float | None = getattr(figures, name) if figures else None
    return found


def _apart(value: float, limit: float, kind: Kind) -> tuple[str, str]:
    """Both as text, with as many digits as it takes to tell them apart."""
    digits = 1
    while (
        digits < 9 and value != limit and _text(value, kind, digits) == _text(limit, kind, digits)
    ):
        digits += 1
    return _text(value, kind, digits), _text(limit, kind, digits)


def _text(value: float, kind: Kind, digits: int) -> str:
    scale, unit = {"time": (1000, " ms"), "share": (100, " %")}.get(kind, (1, ""))
    number = f"{value * scale:.{digits}f}".rstrip("0").rstrip(".")
    return f"{number}{unit}"


def _wrong(what: str, names: Sequence[str]) -> UsageError:
    return UsageError(
        what,
        where="--budget",
        remedy="as first_audio.p95=900ms, tokens_per_second>=8, dropped=0 or wer<=10%\n"
        f"  may be named: first_audio, {', '.join(names)}\n"
        f"  statistics of times and of tokens_per_second: {', '.join(STATISTICS)}; "
        "units: ms, s, %",
    )
