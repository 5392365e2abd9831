"""The line that tells the language model the date and time."""

from __future__ import annotations

import calendar
import datetime


def date_line(now: datetime.datetime) -> str:
    """The date and time in one short line, whatever the locale.

    It goes in front of a question, behind everything that was evaluated before, and is prefilled
    while the user speaks.
    """
    weekday, month = calendar.day_name[now.weekday()], calendar.month_name[now.month]
    hour, half = now.hour % 12 or 12, "am" if now.hour < 12 else "pm"
    return f"[{weekday}, {month} {now.day}, {now.year}, {hour}:{now.minute:02} {half}]"
