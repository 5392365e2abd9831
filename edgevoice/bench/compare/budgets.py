"""Limits for a run, for example `first_audio.p95=900ms`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from edgevoice import compatibility
from edgevoice.bench.result.quantities import KNOWN_SPANS
from edgevoice.bench.result.result import Figures, Summary
from edgevoice.errors import UsageError

BudgetKind = Literal["time", "rate", "count", "share"]

STATISTICS = ("p50", "p90", "p95", "p99", "mean")
BUDGET_KINDS: Mapping[str, BudgetKind] = {
    "response_time": "time",
    "ttft": "time",
    "tokens_per_second": "rate",
    "underruns": "count",
    "dropped": "count",
    "cut_off": "count",
    "wer": "share",
}
"""What can be limited beside the spans."""

ALIASES = {"first_audio": "response_time", **compatibility.BUDGETS}
BUDGET_UNITS: Mapping[BudgetKind, Mapping[str, int]] = {
    "time": {"ms": 1000, "s": 1},
    "rate": {"": 1},
    "count": {"": 1},
    "share": {"%": 100},
}
"""Units of a limit, and how many of them are one second, token a second, time or whole."""

_FORM = re.compile(
    r"(?P<name>[a-z_]+)(?:\.(?P<statistic>\w+))?\s*(?P<sign><=|>=|=)\s*"
    r"(?P<number>\d+(?:\.\d+)?|\.\d+)\s*(?P<unit>\S*)"
)


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit, in seconds, tokens a second, times, or as a share."""

    text: str
    name: str
    kind: BudgetKind
    statistic: str
    at_most: bool
    limit: float


class BudgetOutcome(Struct, frozen=True, kw_only=True):
    """Whether a budget is met; `value` is null where nothing was measured."""

    budget: str
    """The budget as given."""
    value: float | None
    limit: float
    """The limit, in the unit of `value`."""
    met: bool
    message: str
    """The printed line."""


def parse(text: str, spans: Iterable[str] = ()) -> Budget:
    """Read a budget; `spans` can be named beside those of every answer.

    `=` means no worse than, and a rate without a statistic its median. Raises UsageError, which
    lists what can be named.
    """
    names = nameable(spans)
    found = _FORM.fullmatch(text.strip())
    if not found:
        raise _wrong(f"not a budget: {text!r}", names)
    name = ALIASES.get(found["name"], found["name"])
    if name not in names:
        raise _wrong(f"nothing is called {found['name']!r}, in the budget {text!r}", names)
    kind, unit = BUDGET_KINDS.get(name, "time"), found["unit"]
    statistic = found["statistic"] or ("p50" if kind == "rate" else "")
    if kind in ("time", "rate") and statistic not in STATISTICS:
        what = f"{statistic!r} is no statistic" if statistic else "it takes a statistic"
        raise _wrong(f"{what}, in the budget {text!r}", names)
    if kind in ("count", "share") and statistic:
        raise _wrong(f"{name} is counted over all turns and has no {statistic}: {text!r}", names)
    if name in ("dropped", "cut_off") and unit == "%":
        kind = "share"
    if unit not in BUDGET_UNITS[kind]:
        wanted = " or ".join(BUDGET_UNITS[kind]) or "none"
        given = f"not {unit!r}" if unit else "and it is missing"
        raise _wrong(f"its unit is {wanted}, {given}: {text!r}", names)
    at_most = found["sign"] == "<=" or (found["sign"] == "=" and kind != "rate")
    limit = float(found["number"]) / BUDGET_UNITS[kind][unit]
    return Budget(text.strip(), name, kind, statistic, at_most, limit)


def renamed(budgets: Iterable[str]) -> dict[str, str]:
    """The old names in these budgets, each with its new one."""
    found = (_FORM.fullmatch(text.strip()) for text in budgets)
    names = {match["name"] for match in found if match}
    return {old: new for old, new in compatibility.BUDGETS.items() if old in names}


def nameable(spans: Iterable[str] = ()) -> tuple[str, ...]:
    """The names of everything that can be limited, without aliases."""
    known = dict.fromkeys(span.replace(" ", "_") for span in (*KNOWN_SPANS, *spans))
    first, *others = BUDGET_KINDS
    return (first, *known, *others)


def check(budgets: Sequence[Budget], summary: Summary) -> list[BudgetOutcome]:
    """Compare a variant with each budget. One without a measurement is not met."""
    return [_outcome(budget, _value(budget, summary)) for budget in budgets]


def _outcome(budget: Budget, value: float | None) -> BudgetOutcome:
    limit, kind = budget.limit, budget.kind
    met = value is not None and (value <= limit if budget.at_most else value >= limit)
    measured, allowed = "nothing was measured", _text(limit, kind, 1)
    if value is not None:
        # As many digits as it takes to tell the two apart.
        pairs = [(_text(value, kind, digits), _text(limit, kind, digits)) for digits in range(1, 9)]
        measured, allowed = next((pair for pair in pairs if pair[0] != pair[1]), pairs[0])
    what = f"{budget.name.replace('_', ' ')} {budget.statistic}".rstrip()
    bound = f"at {'most' if budget.at_most else 'least'} {allowed}"
    message = f"budget {'met' if met else 'not met'}: {what} {measured}, {bound} ({budget.text})"
    return BudgetOutcome(budget=budget.text, value=value, limit=limit, met=met, message=message)


def _value(budget: Budget, summary: Summary) -> float | None:
    if budget.name == "wer":
        return summary.wer
    if budget.kind in ("count", "share"):
        count = float(getattr(summary, budget.name))
        whole = summary.turns if budget.kind == "share" else 1
        return count / whole if summary.turns else None
    spans = {name.replace(" ", "_"): found for name, found in summary.spans.items()}
    figures: Figures | None = spans.get(budget.name) or getattr(summary, budget.name, None)
    value: float | None = getattr(figures, budget.statistic, None)
    return value


def _text(value: float, kind: BudgetKind, digits: int) -> str:
    scale, unit = {"time": (1000, " ms"), "share": (100, " %")}.get(kind, (1, ""))
    number = f"{value * scale:.{digits}f}".rstrip("0").rstrip(".")
    return f"{number}{unit}"


def _wrong(what: str, names: Sequence[str]) -> UsageError:
    return UsageError(
        what,
        where="--budget",
        remedy="for example first_audio.p95=900ms, tokens_per_second>=8, dropped=0 or wer<=10%\n"
        f"  names: first_audio, {', '.join(names)}\n"
        f"  statistics of times and of tokens_per_second: {', '.join(STATISTICS)}; "
        "units: ms, s, %",
    )
