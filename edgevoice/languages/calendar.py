"""Times, dates, years, ordinals and Roman numerals in words."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

from edgevoice.languages import cldr, language_data

_TIME_RANGE = re.compile(r"(?<=\d[:.h]\d\d)\s?[-–]\s?(?=\d{1,2}[:.h]\d\d)")
_TIME = r"(?<![\d:.,-])([01]?\d|2[0-4])"
_ISO = re.compile(r"(?<![\d-])(\d{4})([-/])(\d{2})\2(\d{2})(?![\d/-])")
_SLASHED = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})/(\d{4})(?![\d/])")
_SHORT_YEAR = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})/(\d{2})(?![\d/])")
_DOTTED = re.compile(r"(?<![\d.])(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})(?![\d.]\d)")
_YEARS = re.compile(
    r"(?<![\w.,$€£¥-])(10[1-9]\d|1[1-9]\d\d|20\d\d)\s?[-–]\s?(10[1-9]\d|1[1-9]\d\d|20\d\d|\d\d)(?![\w-])"
)
_YEAR = r"(10[1-9]\d|1[1-9]\d\d|20\d\d)(?![\w%°/-]|[.,:]\d)"
_ROMAN = re.compile(
    r"(?:([^\W\d_][\w'’-]*)\s)?(?<![\w.])"
    r"(?=[IVXLC])(C{0,3}(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3}))(\.?)(?!\w|['’](?!s\b)|-\w)(?:(?=\s([^\W\d_]+)))?"
)
_CENTURY = r"(?<!\w)([IVX]+)({})(?!\w)"
NEXT_YEARS = 68
"""The last of the years of two digits that are in this century, as POSIX has it."""
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


class Calendar:
    """The times, dates and ordinals of one language."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._words = language_data(language).signs

    # Times of day

    def times(self, line: str) -> str:
        """A line with its times of day as they are said."""
        clock = self._words.clock
        if not clock.minutes:
            return line
        if self._words.to:
            line = _TIME_RANGE.sub(f" {self._words.to} ", line)
        if clock.halves:
            line = self._halves.sub(self._half, line)
        return self._hours.sub(self._time, line)

    @cached_property
    def _halves(self) -> re.Pattern[str]:
        """A number with a half of the day, alone or before the end of a range."""
        return re.compile(
            r"(?<![\w.,])(\d{1,2}(?:[:.][0-5]\d)?)\s?([ap])(?:m|\.\s?m\.|\.m)(?![\w'])"
            r"(?:\s?[-–]\s?(?=\d))?",
            re.I,
        )

    def _half(self, found: re.Match[str]) -> str:
        time, half = found[1], found[2].upper()
        more = found[0][-1] in "-– "
        after = found.string[found.end() :]
        stop = (
            "."
            if "." in found[0].removeprefix(found[1])
            and (not after.strip() or re.match(r"\s[A-Z]", after))
            else ""
        )
        time = time.replace(".", ":").removesuffix(":00")
        to = f" {self._words.to} " if more and self._words.to else ""
        return f"{time} {half} M{stop}{to}"

    @cached_property
    def _hours(self) -> re.Pattern[str]:
        marks = "|".join(map(re.escape, sorted(self._words.clock.marks, key=len, reverse=True)))
        marks = marks or r"(?!)"
        return re.compile(
            rf"{_TIME}(?::([0-5]\d)(?::([0-5]\d))?(?![\d:])(?:\s?(?:{marks})\b)?"
            rf"|\s?(?:{marks})\s?([0-5]\d)(?!\d)"
            rf"|\.([0-5]\d)\s?(?:{marks})\b"
            rf"|\s?(?:{marks})(?!\w))"
        )

    def _time(self, found: re.Match[str]) -> str:
        clock = self._words.clock
        hour = clock.one if clock.one and found[1].lstrip("0") == "1" else int(found[1])
        minute = found[2] or found[4] or found[5] or "00"
        after = found.string[found.end() :]
        if re.match(r"\s[AP] M\b", after):
            return (
                clock.few_minutes.format(h=hour, m=int(minute))
                if minute[0] == "0"
                else (clock.minutes.format(h=hour, m=int(minute)))
            )
        if minute == "00":
            said = (clock.whole or clock.minutes).format(h=hour, m=0)
        elif minute[0] == "0" and clock.few_minutes:
            said = clock.few_minutes.format(h=hour, m=int(minute))
        else:
            said = clock.minutes.format(h=hour, m=int(minute))
        return f"{said} {cldr.both(self._language)} {int(found[3])}" if found[3] else said

    # Dates and years

    def dates(self, line: str) -> str:
        """A line with its dates and years as they are said."""
        if not any(map(str.isdigit, line)):
            return line
        line = _ISO.sub(lambda m: self._date(m[0], m[1], m[3], m[4]), line)
        line = _DOTTED.sub(lambda m: self._date(m[0], m[3], m[2], m[1]), line)
        line = self._short_months.sub(
            lambda m: m[1] + cldr.short_months(self._language)[m[2]], line
        )
        line = _SHORT_YEAR.sub(lambda m: f"{m[1]}/{m[2]}/{_century_of(int(m[3]))}{m[3]}", line)
        return _SLASHED.sub(
            lambda m: (
                self._date(m[0], m[3], m[1], m[2])
                if self._words.dates.month_first
                else self._date(m[0], m[3], m[2], m[1])
            ),
            line,
        )

    def _date(self, written: str, year: str, month: str, day: str) -> str:
        return cldr.dated(int(year), int(month), int(day), self._language) or written

    def years(self, line: str) -> str:
        """A line with its years in pairs, where the language says them so."""
        dates = self._words.dates
        if dates.decade_marks:
            line = self._decades.sub(self._decade, line)
        if dates.before_years:
            line = _YEARS.sub(self._span, line)
            line = self._before_year.sub(lambda m: m[1] + self._year(m[2]), line)
            line = re.sub(rf"^{_YEAR}(?=[.]?$|\. )", lambda m: self._year(m[1]), line)
        if dates.day_after_month and self._months:
            line = self._month_days.sub(
                lambda m: m[1] + cldr.spelled(int(m[2]), self._language, dates.day_after_month),
                line,
            )
        return line

    @cached_property
    def _short_months(self) -> re.Pattern[str]:
        """Between a day and a year, or before a day where the month is first."""
        short = "|".join(map(re.escape, cldr.short_months(self._language))) or "(?!)"
        first = (
            rf"|(?=\b(?:{short})\.? \d{{1,2}}(?:st|nd|rd|th)?\b)"
            if self._words.dates.month_first
            else ""
        )
        behind_day = rf"\.? (?=(?:{short})\.? \d{{4}}\b)|(?:st|nd|rd|th) (?={short})"
        return re.compile(rf"(\b\d{{1,2}}(?:{behind_day}){first})({short})\b\.?")

    @cached_property
    def _months(self) -> str:
        return "|".join(sorted(map(re.escape, cldr.months(self._language))))

    @cached_property
    def _month_days(self) -> re.Pattern[str]:
        return re.compile(rf"\b((?:{self._months}) )(\d{{1,2}})(?![\w:%]|[.,]\d| to \d)")

    @cached_property
    def _before_year(self) -> re.Pattern[str]:
        words = "|".join(map(re.escape, sorted(self._words.dates.before_years)))
        day = rf"(?:{self._months})(?: \d{{1,2}}(?:st|nd|rd|th)?,?)?" if self._months else "(?!)"
        return re.compile(rf"(?<!\w)((?:(?:{words})|{day})\s)(?-i:{_YEAR})", re.I)

    @cached_property
    def _decades(self) -> re.Pattern[str]:
        marks = "|".join(map(re.escape, sorted(self._words.dates.decade_marks)))
        return re.compile(rf"(?<![\w.,])(?:(\d{{3}}0)|['’]?(\d0))({marks})(?!\w)")

    def _decade(self, found: re.Match[str]) -> str:
        if found[1]:
            said = self._year(found[1])
        elif found[0][0] in "'’" or len(found[3]) > 1:
            said = cldr.spelled(int(found[2]), self._language, "numbering") or found[2]
        else:
            return found[0]
        ending = self._words.dates.decade_marks[found[3]]
        return said[:-1] + self._words.dates.decade_stems.get(said[-1:], said[-1:]) + ending

    def _span(self, found: re.Match[str]) -> str:
        first, last = found[1], found[2]
        if len(last) == 4 and last < first:
            return found[0]
        return (
            f"{self._year(first)} {self._words.to} {self._year(last) if len(last) == 4 else last}"
        )

    def _year(self, year: str) -> str:
        return cldr.spelled(int(year), self._language, "numbering-year") or year

    # Ordinals and Roman numerals

    def ordinals(self, line: str) -> str:
        """A line with ordinals in words, where the voice does not read them."""
        rules = self._words.ordinals
        if rules.marks:
            line = self._marked.sub(self._mark, line)
            line = self._centuries.sub(self._century, line)
        if rules.before:
            line = self._ordinal_before.sub(self._dotted, line)
            line = self._ordinal_pair.sub(self._dotted, line)
        if rules.rule:
            line = self._ordinal_after.sub(
                lambda m: cldr.spelled(int(m[1]), self._language, rules.rule) or m[0], line
            )
        return line

    def is_ordinal(self, head: str) -> bool:
        """Whether the full stop at the end of `head` belongs to a number: "am 3."."""
        return bool(self._words.ordinals.before and self._stopped.search(head[-40:]))

    @cached_property
    def _stopped(self) -> re.Pattern[str]:
        words = "|".join(map(re.escape, sorted(self._words.ordinals.before)))
        rulers = "|".join(map(re.escape, sorted(self._words.roman.rulers))) or "(?!)"
        return re.compile(
            rf"(?:\b(?i:{words})\s(?:\d{{1,4}}\.\s[^\W\d]+\s)?\d{{1,4}}|\b(?:{rulers})\s[IVXLC]+)\.$"
        )

    @cached_property
    def _marks(self) -> str:
        marks = sorted(self._words.ordinals.marks, key=len, reverse=True)
        return "|".join(map(re.escape, marks))

    @cached_property
    def _marked(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![\w.,])(\d{{1,4}})\.?\s?({self._marks})(?![\w])")

    @cached_property
    def _centuries(self) -> re.Pattern[str]:
        return re.compile(_CENTURY.format(self._marks))

    def _mark(self, found: re.Match[str]) -> str:
        rule = self._words.ordinals.marks[found[2]]
        return cldr.spelled(int(found[1]), self._language, rule) or found[0]

    def _century(self, found: re.Match[str]) -> str:
        rule, number = self._words.ordinals.marks[found[2]], _value(found[1])
        return cldr.spelled(number, self._language, rule) if number else found[0]

    @cached_property
    def _ordinal_before(self) -> re.Pattern[str]:
        words = "|".join(map(re.escape, sorted(self._words.ordinals.before)))
        return re.compile(rf"\b({words})\s(\d{{1,4}})\.(?=\s[^\W\d])", re.I)

    @cached_property
    def _ordinal_pair(self) -> re.Pattern[str]:
        """The second one of "im 19. und 20. Jahrhundert", whose first one is in words by now."""
        words = "|".join(map(re.escape, sorted(self._words.ordinals.before)))
        return re.compile(rf"\b(({words})\s\w+\s[^\W\d]+)\s(\d{{1,4}})\.(?=\s[^\W\d])", re.I)

    @cached_property
    def _ordinal_after(self) -> re.Pattern[str]:
        words = [*map(re.escape, sorted(self._words.ordinals.after)), self._months]
        return re.compile(
            rf"(?<![\w.,])(\d{{1,2}})\.\s?(?=\s(?:{'|'.join(filter(None, words))})\b)"
        )

    def _dotted(self, found: re.Match[str]) -> str:
        before, number = found[found.re.groups - 1], found[found.re.groups]
        rule = self._words.ordinals.before[before.lower()]
        said = cldr.spelled(int(number), self._language, rule)
        return f"{found[1]} {said}" if said else found[0]

    def numerals(self, line: str) -> str:
        """A line with its Roman numerals as numbers, or as ordinals behind a ruler's name."""
        return _ROMAN.sub(self._numeral, line)

    def _numeral(self, found: re.Match[str]) -> str:
        before, numeral, stop, after = found[1] or "", found[2], found[3], found[4] or ""
        number, rules = _value(numeral), self._words.roman
        lead = f"{before} " if before else ""
        if not number:
            return found[0]
        if before in rules.rulers:
            said = number <= rules.ordinal_until and rules.rule
            said = said and cldr.spelled(number, self._language, rules.rule)
            ends = stop if stop and not (after and self._words.ordinals.before) else ""
            return lead + (rules.ruled.format(said) if said else str(number)) + ends
        if before.lower() in rules.counted or after.lower() in rules.counted:
            rule = rules.counted.get(before.lower()) or rules.counted.get(after.lower())
            said = cldr.spelled(number, self._language, rule) if rule else str(number)
            return lead + (said or str(number)) + stop
        known = len(numeral) > 1 and before[:1].isupper() and not before.isupper() and rules.rulers
        return f"{lead}{number}{stop}" if known and numeral not in _NO_NUMBERS else found[0]


def _century_of(year: int) -> int:
    return 19 if year > NEXT_YEARS else 20


_NO_NUMBERS = frozenset({"CC", "CV", "LC", "XL", "CI", "LI", "XXL"})
"""What is mostly something else: sizes and initials."""


def _value(numeral: str) -> int:
    values = [_VALUES[sign] for sign in numeral]
    return sum(
        -here if here < after else here
        for here, after in zip(values, [*values[1:], 0], strict=True)
    )


@lru_cache(maxsize=16)
def calendar(language: str) -> Calendar:
    """That of a language, made once."""
    return Calendar(language)
