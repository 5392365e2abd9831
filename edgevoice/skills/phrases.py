"""How things are said in a language: durations, times, dates, numbers, and answers that vary."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from edgevoice.languages import cldr
from edgevoice.skills.sentence_files import SentenceFile
from edgevoice.skills.units import CLDR

DECIMALS = 2
"""Most decimals of a number that is said."""
SECONDS_UNTIL = 600
"""Durations from here on are said without seconds, where they are rounded."""


class Phrases:
    """The phrases of one language."""

    def __init__(self, language: str, file: SentenceFile) -> None:
        self.language = language
        self._file = file
        self._said: Counter[str] = Counter()

    def has(self, outcome: str) -> bool:
        """Whether there is an answer for this outcome."""
        return outcome in self._file.answers

    def answer(self, outcome: str, **fields: object) -> str:
        """An answer, another one than the last time where there are several; empty if the
        language has none."""
        variants = self._file.answers.get(outcome, ())
        if not variants:
            return ""
        self._said[outcome] += 1
        text = variants[(self._said[outcome] - 1) % len(variants)]
        said = text.format(**fields)
        return said[:1].upper() + said[1:]

    def word(self, name: str, otherwise: str = "") -> str:
        """A word or a phrase that answers are made of."""
        return self._file.words.get(name, otherwise)

    def number(self, value: Fraction) -> tuple[str, bool]:
        """A number with the decimal mark of the language, and whether it is exact."""
        point = cldr.marks(self.language)[0]
        if value.denominator == 1:
            return str(value.numerator), True
        decimals = DECIMALS
        while value and abs(value) < Fraction(1, 10 ** (decimals - 1)) and decimals < 9:
            decimals += 1
        rounded = Fraction(math.floor(abs(value) * 10**decimals + Fraction(1, 2)), 10**decimals)
        text = f"{float(rounded):.{decimals}f}".rstrip("0").rstrip(".").replace(".", point)
        sign = "-" if value < 0 and rounded else ""
        return sign + text, rounded == abs(value)

    def measured(self, value: Fraction, unit: str) -> str:
        """A number with its unit."""
        number, _ = self.number(value)
        if one := number == "1" and self.word(f"one_{unit}"):
            return one
        said = (
            cldr.measured(number.lstrip("-"), CLDR.get(unit, ""), self.language)
            if unit in CLDR
            else ""
        )
        said = said or f"{number.lstrip('-')} {self.word(unit, unit)}"
        return f"{self.word('minus', '-')} {said}" if number[0] == "-" else said

    def duration(self, seconds: float, rounded: bool = False) -> str:
        """A duration in hours, minutes and seconds, or days; `rounded`: as one would say it."""
        whole = max(1, math.ceil(seconds - 0.001) if not rounded else round(seconds))
        if rounded and whole > SECONDS_UNTIL:
            whole = round(whole / 60) * 60
        parts = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
        said = []
        for unit, size in parts:
            count, whole = divmod(whole, size)
            if count:
                said.append(self.measured(Fraction(count), unit))
        return cldr.listed(said[:2] if rounded else said, self.language)

    def clock(self, hour: int, minute: int) -> str:
        """A time of day."""
        if minute == 0 and (name := self.word({0: "midnight", 12: "noon"}.get(hour, ""))):
            return name
        form = self.word("clock_whole" if minute == 0 else "clock", "{h}:{m:02}")
        if hour == 1:
            form = self.word("one_clock_whole" if minute == 0 else "one_clock", form)
        half = self.word("am" if hour < 12 else "pm")
        return form.format(h=hour, h12=hour % 12 or 12, m=minute, half=half)

    def date(self, day: datetime.date) -> str:
        """A date with its weekday."""
        dated = cldr.dated(day.year, day.month, day.day, self.language)
        return self.word("date", "{weekday}, {date}").format(weekday=self.weekday(day), date=dated)

    def weekday(self, day: datetime.date) -> str:
        """The day of the week."""
        return cldr.weekday(day, self.language)

    def days(self, count: int) -> str:
        """A number of days."""
        return self.measured(Fraction(count), "day")

    def listed(self, items: Sequence[str]) -> str:
        """Several things."""
        return cldr.listed(items, self.language)

    def moment(self, then: datetime.datetime, now: datetime.datetime, at: bool = False) -> str:
        """A time of day, with the day if that is not today; `at`: as when something happens."""
        clock = self.clock(then.hour, then.minute)
        days = (then.date() - now.date()).days
        if days == 0:
            return self.word("at", "{clock}").format(clock=clock) if at else clock
        day = self.word("tomorrow") if days == 1 else self.weekday(then.date())
        if not day or abs(days) > 6 or days < 0:
            day = self.date(then.date())
        return self.word("on_day", "{day}, {clock}").format(day=day, clock=clock)
