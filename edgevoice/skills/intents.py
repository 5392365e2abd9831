"""What an utterance asks for: an intent with arguments that were checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from edgevoice.skills.arithmetic import ResultTooLarge, calculated, root
from edgevoice.skills.matcher import Match

LONGEST_SECONDS = 400 * 24 * 3600
"""Longest timer."""
MOST_DAYS = 100_000
MOST_DICE = 10
SPELLED_WORDS = 2


@dataclass(frozen=True, slots=True)
class Intent:
    """An intent, with its arguments by name.

    `seconds` of a duration, `hour`, `minute` and `half` ("am", "pm" or "") of a time of day, `day`
    as a word of the sentence files, numbers as Fraction, everything else as text.
    """

    name: str
    args: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        args = dict(self.args)
        if "hour" in args:
            args["time"] = f"{args.pop('hour')}:{args.pop('minute'):02}"
        return " ".join(
            f"{name}={_shown(value)}" for name, value in sorted(args.items()) if value != ""
        )


def _shown(value: object) -> str:
    if isinstance(value, Fraction):
        return str(value.numerator) if value.denominator == 1 else f"{float(value):.6g}"
    return str(value)


def intent(match: Match) -> Intent | None:
    """What a match asks for; None if a figure of it makes no sense, for example 25 o'clock."""
    slots = _Slots(match)
    try:
        args = slots.read()
    except (_Senseless, ResultTooLarge):
        return None
    if match.intent == "spell" and len(args["text"].split()) > SPELLED_WORDS:
        return None
    return Intent(match.intent, args)


class _Senseless(Exception):
    pass


class _Slots:
    def __init__(self, match: Match) -> None:
        self._slots = dict(match.slots)
        self._figures = match.figures

    def read(self) -> dict[str, Any]:
        args: dict[str, Any] = {}
        for reader in (self._duration, self._moment, self._date, self._sum, self._others):
            args |= reader()
        return args

    def _take(self, slot: str) -> Fraction | None:
        """The number in a slot: a token, or the value of a list."""
        said = self._slots.pop(slot, None)
        if said is None:
            return None
        figures = self._figures
        if said[0] == "n" and said[1:].isdigit():
            return figures.numbers[int(said[1:])]
        if said[0] == "o" and said[1:].isdigit():
            return Fraction(figures.ordinals[int(said[1:])])
        try:
            return Fraction(said)
        except ValueError:
            raise _Senseless from None

    def _whole(self, slot: str, least: int, most: int) -> int | None:
        value = self._take(slot)
        if value is None:
            return None
        if value.denominator != 1 or not least <= value <= most:
            raise _Senseless
        return int(value)

    def _duration(self) -> dict[str, Any]:
        parts = (("hours", 3600), ("minutes", 60), ("seconds", 1), ("fixed", 1), ("days", 86400))
        found = [value * unit for name, unit in parts if (value := self._take(name)) is not None]
        if (halves := self._take("half_hours")) is not None:
            found.append((halves + Fraction(1, 2)) * 3600)
        if not found:
            return {}
        seconds = sum(found)
        if not 1 <= seconds <= LONGEST_SECONDS:
            raise _Senseless
        return {"seconds": round(seconds)}

    def _moment(self) -> dict[str, Any]:
        half = self._slots.pop("half", "")
        named, clock = self._slots.pop("named_time", ""), self._slots.pop("clock", "")
        hour = minute = 0
        if named:
            hour, minute = map(int, named.split(":"))
            half = "exact"
        elif clock:
            hour, minute = self._figures.clocks[int(clock[1:])]
        elif not self._relative():
            return {"half": half} if half else {}
        else:
            hour, minute = self._relative_moment()
        if half in ("am", "pm") and not 1 <= hour <= 12:
            half = "" if (hour >= 12) == (half == "pm") else "?"
        if half == "?":
            raise _Senseless
        return {"hour": hour, "minute": minute, "half": half}

    def _relative(self) -> bool:
        names = ("hour", "half_past", "half_to", "quarter_past", "quarter_to", "three_quarters")
        return any(name in self._slots for name in names)

    def _relative_moment(self) -> tuple[int, int]:
        offsets = {"half_past": 30, "half_to": -30, "quarter_past": 15, "quarter_to": -15}
        offsets["three_quarters"] = -15
        for name, offset in offsets.items():
            if (hour := self._whole(name, 1, 23)) is not None:
                return _moved(hour, offset)
        hour = self._whole("hour", 0, 24)
        assert hour is not None
        if (past := self._whole("past", 1, 59)) is not None:
            return _moved(hour, past)
        if (to := self._whole("to", 1, 59)) is not None:
            return _moved(hour, -to)
        if (half_past := self._whole("past_half", 1, 29)) is not None:
            return _moved(hour, half_past - 30)
        if (half_to := self._whole("to_half", 1, 29)) is not None:
            return _moved(hour, -half_to - 30)
        return hour % 24, self._whole("minute", 0, 59) or 0

    def _date(self) -> dict[str, Any]:
        args: dict[str, Any] = {}
        if (date := self._whole("date", 1, 31)) is not None:
            month = int(self._slots.pop("month"))
            if date > (29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31):
                raise _Senseless
            args = {"month": month, "day": date}
            self._slots.pop("day", None)
        if (count := self._whole("count", 1, MOST_DAYS)) is not None:
            args["count"] = count
        if span := self._slots.pop("span", ""):
            args["unit"] = span
        return args

    def _sum(self) -> dict[str, Any]:
        if (of := self._take("root")) is not None:
            return {"result": root(of)}
        single = {"square": 2, "cube": 3}
        for name, power in single.items():
            if (base := self._take(name)) is not None:
                return {"result": calculated([base, "power", Fraction(power)])}
        for name, factor in (("halved", Fraction(1, 2)), ("doubled", Fraction(2))):
            if (value := self._take(name)) is not None:
                return {"result": value * factor}
        if (part := self._take("part")) is not None:
            whole = self._take("whole")
            return {"result": part * (whole or 0) / 100}
        negative = self._take("neg_a")
        first = self._take("a") if negative is None else -negative
        if first is None:
            return {}
        terms: list[Fraction | str] = [first]
        for operator in ("sum", "times", "over", "from"):
            if (other := self._take(f"{operator}_b")) is not None:
                meaning = {"sum": "plus", "from": "minus"}.get(operator, operator)
                return {"result": calculated([first, meaning, other])}
        if (exponent := self._take("power")) is not None:
            return {"result": calculated([first, "power", exponent])}
        for number, name in enumerate("bcd", 1):
            value = self._take(name)
            if value is not None:
                terms += [self._slots.pop(f"op{number}"), value]
        return {"result": calculated(terms)}

    def _others(self) -> dict[str, Any]:
        args: dict[str, Any] = {}
        if (negative := self._take("neg_value")) is not None:
            args["value"] = -negative
        elif (value := self._take("value")) is not None:
            args["value"] = value
        elif "from" in self._slots:
            args["value"] = Fraction(1)
        for name, least, most in (
            ("percent", 0, 100),
            ("sides", 2, 1000),
            ("low", 0, 10**9),
            ("high", 1, 10**9),
        ):
            if (number := self._whole(name, least, most)) is not None:
                args[name] = number
        if args.get("count", 0) > MOST_DICE and "unit" not in args:
            raise _Senseless
        if "low" in args and args["low"] >= args["high"]:
            raise _Senseless
        return args | self._slots


def _moved(hour: int, minutes: int) -> tuple[int, int]:
    total = (hour * 60 + minutes) % (24 * 60)
    # "a quarter to one" is a quarter to thirteen as well: the half of the day is not known.
    if hour <= 12 and total // 60 == 0 and minutes < 0:
        total += 12 * 60
    return total // 60 % 24, total % 60
