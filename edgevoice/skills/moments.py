"""Dates and times of day, from the words for them."""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Mapping
from typing import Any

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FEASTS = {
    "christmas": (12, 25),
    "christmas_eve": (12, 24),
    "new_year": (1, 1),
    "new_years_eve": (12, 31),
    "halloween": (10, 31),
    "valentines": (2, 14),
}
EVENING_BEFORE = 7
"""Hours before this one on another day are in the afternoon, where nobody said which half."""


def easter(year: int) -> datetime.date:
    """Easter Sunday, by the anonymous Gregorian algorithm."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), f = divmod(b, 4), (b + 8) // 25
    h = (19 * a + b - d - (b - f + 1) // 3 + 15) % 30
    i, k = divmod(c, 4)
    x = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * x) // 451
    month, day = divmod(h + x - 7 * m + 114, 31)
    return datetime.date(year, month, day + 1)


def date(args: Mapping[str, Any], today: datetime.date) -> datetime.date:
    """The next day that is meant by a date, a feast, a day of the week, or a number of days."""
    if "count" in args:
        return later(today, args["count"], args["unit"])
    if feast := args.get("feast"):
        fixed = FEASTS.get(feast)
        return _next(today, lambda year: datetime.date(year, *fixed) if fixed else easter(year))
    if "month" in args:
        month, day = args["month"], args["day"]
        return _next(today, lambda year: _valid(year, month, day))
    return _day(args["day"], today)


def later(today: datetime.date, count: int, unit: str) -> datetime.date:
    """The day so many days, weeks, months or years later; the last one of a shorter month.

    Raises OverflowError after the year 9999.
    """
    if unit in ("day", "week"):
        return today + datetime.timedelta(days=count * (7 if unit == "week" else 1))
    months = today.month - 1 + count * (12 if unit == "year" else 1)
    year, month = today.year + months // 12, months % 12 + 1
    if year > datetime.MAXYEAR:
        raise OverflowError
    return datetime.date(year, month, min(today.day, calendar.monthrange(year, month)[1]))


def moment(args: Mapping[str, Any], now: datetime.datetime, wakes: bool) -> datetime.datetime:
    """The next time of day that is meant; `wakes`: an hour without its half is one of 24."""
    hour, minute, half, day = args["hour"], args["minute"], args["half"], args.get("day", "")
    hours = [hour]
    if half == "am":
        hours = [hour % 12]
    elif half == "pm":
        hours = [hour % 12 + 12]
    elif not half and not wakes and 1 <= hour <= 12:
        hours = sorted((hour % 12, hour % 12 + 12))
    if day and day != "today":
        if len(hours) == 2:
            hours = [hour if hour >= EVENING_BEFORE else hour % 12 + 12]
        date = _day(day, now.date())
        then = datetime.datetime.combine(date, datetime.time(hours[0], minute))
        return then if then > now else then + datetime.timedelta(days=7)
    times = [datetime.datetime.combine(now.date(), datetime.time(h, minute)) for h in hours]
    tomorrow = [then + datetime.timedelta(days=1) for then in times]
    return min(then for then in (*times, *tomorrow) if then > now)


def _next(today: datetime.date, of: Any) -> datetime.date:
    for year in range(today.year, today.year + 9):
        found: datetime.date | None = of(year)
        if found is not None and found >= today:
            return found
    raise OverflowError


def _valid(year: int, month: int, day: int) -> datetime.date | None:
    return datetime.date(year, month, day) if day <= calendar.monthrange(year, month)[1] else None


def _day(day: str, today: datetime.date) -> datetime.date:
    ahead = {"today": 0, "tomorrow": 1, "after_tomorrow": 2}.get(day)
    if ahead is None:
        ahead = (DAYS.index(day) - today.weekday()) % 7
    return today + datetime.timedelta(days=ahead)
