"""Opening hours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from edgevoice.errors import ConfigError

DAY_NAMES = ("mo", "tu", "we", "th", "fr", "sa", "su")
EXAMPLE = "tu-su 10:00-18:00, th 10:00-21:00"
RULE = re.compile(
    r"(?:([a-z]{2})(?:-([a-z]{2}))?\s+)?(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})", re.IGNORECASE
)


@dataclass(frozen=True)
class Opening:
    """On these days of the week (0 is Monday), from `start` to before `end`; past midnight if
    `end` is not later."""

    days: frozenset[int]
    start: time
    end: time


def parsed(text: str) -> tuple[Opening, ...]:
    """The opening hours of text such as EXAMPLE, which add up; without days they hold every day.
    Raises ConfigError."""
    openings = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = RULE.fullmatch(part)
        try:
            if not found:
                raise ValueError
            first, last, *clock = found.groups()
            hours, minutes, end_hours, end_minutes = map(int, clock)
            end = time(0 if (end_hours, end_minutes) == (24, 0) else end_hours, end_minutes)
            opening = Opening(_days(first, last), time(hours, minutes), end)
        except ValueError:
            raise ConfigError(
                f"no opening hours: {part!r}",
                where="kiosk.hours",
                remedy=f'write them like "{EXAMPLE}"',
            ) from None
        openings.append(opening)
    return tuple(openings)


def is_open(openings: Sequence[Opening], now: datetime) -> bool:
    """Whether it is open at the local time `now`; without any hours always."""
    if not openings:
        return True
    at, today = now.time(), now.weekday()
    yesterday = (today - 1) % 7
    for opening in openings:
        if opening.start < opening.end:
            if today in opening.days and opening.start <= at < opening.end:
                return True
        elif (today in opening.days and at >= opening.start) or (
            yesterday in opening.days and at < opening.end
        ):
            return True
    return False


def _days(first: str | None, last: str | None) -> frozenset[int]:
    if first is None:
        return frozenset(range(7))
    start = DAY_NAMES.index(first.lower())
    end = DAY_NAMES.index(last.lower()) if last else start
    return frozenset((start + n) % 7 for n in range((end - start) % 7 + 1))
