"""Amounts of money, units, fractions, ranges and telephone numbers in words.

Numbers that a voice reads well by itself stay digits; what stands beside them becomes words.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cached_property, lru_cache

from edgevoice.languages import cldr, language_data

_N = r"\d+(?:[.,]\d+)*"
_DASH = r"\s?[-–]\s?"
_SMALL = re.compile(r"(?<![\w.,])\.(?=\d)")
_GROUPS = re.compile(
    r"(?<![\d+(.,/-])(?<!\d\s)[1-9]\d{0,2}(?:[ \u00a0\u202f]\d{3})+(?![\d-]|[ \u00a0\u202f]\d)"
)
_LAKHS = re.compile(r"(?<![\d.,])\d{1,2}(?:,\d{2})+,\d{3}(?![\d,])")
_VULGAR = re.compile(r"(?<=\d)\s?(?=[¼-¾⅐-⅞])")
_VULGARS = re.compile(r"[¼-¾⅐-⅞]")
_MIXED = re.compile(r"(?<![\d/.,])(\d+)[ -](\d{1,2})/(\d{1,3})(?![\d/]|\.\d)")
_FRACTION = re.compile(r"(?<![\w/.,])(\d{1,2})/(\d{1,3})(?![\d/]|\.\d)")
_SLASHED = re.compile(r"(?<=\d)/(?=\d)")
_RANGE = re.compile(rf"(?<![\w.,-])({_N})(%?){_DASH}({_N})(?![\w-]|[.,]\d)(?!-)")
_TIGHT_LETTERED = re.compile(r"(?<![\w.,-])(\d+)[-–](\d+)(?=[a-z%°])")
_PARTS = frozenset({*range(2, 11), 12, 16, 20, 32, 50, 64, 100})
"""Numbers below a fraction's bar; 9/11 is mostly a date."""
_TOLL_FREE = frozenset({"800", "833", "844", "855", "866", "877", "888", "900"})
_DASHED = re.compile(r"(?<=[^\W\d])–(?=\d)")
_MILLIONS = re.compile(r"(?<=\d)M(?=\s[a-z])")
_HOURS = re.compile(r"(?<![\w.,])(\d+)\s?h\s?(\d{1,2})\s?m(?:in)?(?!\w)")
_RATIO = re.compile(r"(?<![\w:.,/])(\d+):(\d+)(?![\w:/]|[.,]\d)")
_FEET = re.compile(r"(?<![\w.,])(\d+)\s?['′]\s?(\d{1,2})\s?(?:[\"″”]|'')")
_TIMES_AS = re.compile(r"(?<![\w.,])(\d+)x(?=\s[^\W\d])")
_BY = re.compile(r"(?<=\d)\s?[x×]\s?(?=\d)")
_PHONE = re.compile(
    r"(?<![\w.,+-])(?:"
    r"\+\d{1,3}(?:[\s./()-]{0,2}\d{1,6}){2,6}"
    r"|(?:1[-. ])?\(\d{3}\)[-. ]?\d{3}[-. ]\d{4}"
    r"|(?:1[-. ])?\d{3}[-.]\d{3}[-.]\d{4}"
    r"|(?:1[-. ])?\d{3} \d{3} \d{4}"
    r"|\d{3}-\d{4}"
    r"|0\d{1,5}(?:[ /-]{1,3}\d{2,}){1,5}"
    r"|0\d{5,}"
    r")(?![\w-]|[.,]\d|\s?[=/])"
)
_ZEROS = re.compile(r"(?<![\w.,:/-])0\d+(?![\w:/-]|[.,]\d)")
_DIGITS = re.compile(r"\d+")


class Quantities:
    """The quantities of one language."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._words = language_data(language).signs
        self._math = self._words.mathematics
        self._point, self._group = cldr.marks(language)

    def telephones(self, line: str) -> str:
        """Telephone numbers, and numbers that begin with a zero, digit by digit."""
        if not any(map(str.isdigit, line)):
            return line
        line = _GROUPS.sub(self._grouped, line)
        line = _PHONE.sub(self._telephone, line)
        line = _ZEROS.sub(lambda m: " ".join(m[0]), line)
        if self._words.emergency:
            numbers = "|".join(map(re.escape, sorted(self._words.emergency)))
            pattern = rf"(?<![\w.,$€£+*/=-])({numbers})(?![\w%°/*+=-]|[.,]\d|\s?[-+*/=])"
            line = re.sub(pattern, lambda m: " ".join(m[1]), line)
        return line

    def numbers(self, line: str) -> str:
        """A line with its amounts, units, fractions and ranges in words."""
        if self._words.fractions.rule:
            line = _VULGARS.sub(_written_out, _VULGAR.sub(" ", line))
        if not any(map(str.isdigit, line)):
            return line
        line = _SMALL.sub("0" + self._point, line)
        if self._words.by:
            line = _BY.sub(f" {self._words.by} ", line)
        if self._math.times:
            line = _TIMES_AS.sub(rf"\1 {self._math.times}", line)
        line = _LAKHS.sub(lambda m: m[0].replace(",", ""), line)
        line = self._money(line)
        if "M" in self._words.multipliers:
            line = _MILLIONS.sub(f" {self._words.multipliers['M']}", line)
        line = self._scaled.sub(lambda m: f" {self._words.multipliers[m[1]]}", line)
        line = self._measures(line)
        line = self._fractions(line)
        if self._words.ratio:
            line = _RATIO.sub(rf"\1 {self._words.ratio} \2", line)
        return self._ranges(line)

    @cached_property
    def _scaled(self) -> re.Pattern[str]:
        """Short forms of large numbers without a coin; single letters are too ambiguous."""
        long = (re.escape(each) for each in self._words.multipliers if len(each) > 1)
        return re.compile(rf"(?<=\d)\s?({'|'.join(sorted(long, reverse=True)) or '(?!)'})(?!\w)")

    def _telephone(self, found: re.Match[str]) -> str:
        plus = f"{self._math.plus or '+'} " if found[0].startswith("+") else ""
        return plus + ", ".join(" ".join(group) for group in _DIGITS.findall(found[0]))

    def _grouped(self, found: re.Match[str]) -> str:
        groups = re.split(r"\s", found[0])
        spaced = self._group.isspace() or len(groups) > 2
        return "".join(groups) if spaced else found[0]

    # Money

    @cached_property
    def _coins(self) -> str:
        signs = sorted({*self._words.coins, *cldr.COINS}, key=len, reverse=True)
        return "|".join(re.escape(sign) for sign in signs)

    @cached_property
    def _amounts(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        written = sorted(self._words.multipliers, key=len, reverse=True)
        short = "|".join(map(re.escape, written)) or r"(?!)"
        long = "|".join(map(re.escape, sorted(self._words.scales))) or r"(?!)"
        amount = (
            rf"({_N})(?:{_DASH}(?:{self._coins})?\s?({_N}))?(?:\s?({short})(?!\w)|\s({long})\b)?"
        )
        codes = "|".join(sorted(cldr.CURRENCY_CODES))
        return (
            re.compile(rf"(?<![\w$])({self._coins}|(?:{codes})(?=\s?\d))\s?{amount}(?!\d)"),
            re.compile(rf"(?<![\w.,]){amount}\s?({self._coins}|(?:{codes})\b|¢)(?!\s?\d|\w)", re.M),
        )

    def _money(self, line: str) -> str:
        before, after = self._amounts
        line = before.sub(lambda m: self._amount(m[1], m[2], m[3], m[4], m[5]), line)
        return after.sub(lambda m: self._amount(m[5], m[1], m[2], m[3], m[4]), line)

    def _amount(
        self, sign: str, number: str, last: str | None, short: str | None, long: str | None
    ) -> str:
        words = self._words
        scale = words.multipliers.get(short, short) if short else long
        if last:
            if not words.to:
                return f"{number}–{last} {self._coin(sign, last)}"
            number = f"{number} {words.to} {last}"
        if scale:
            coin = self._coin(sign, "5")
            of = f" {words.of_coins} " if words.of_coins else " "
            if words.of_coins_elided and coin[:1] in "aeiou":
                of = f" {words.of_coins_elided}"
            return f"{number} {scale}{of if long or words.of_coins else ' '}{coin}"
        if sign == "¢":
            one, several = words.hundredths.get("$", ("¢", "¢"))
            return f"{number} {one if number == '1' else several}"
        found = None if last else re.fullmatch(r"(.+?)[.,](\d{2})", number)
        whole, part = (found[1], found[2]) if found else (number, "")
        if part and part.strip("0") and whole == "0" and sign in words.hundredths:
            one, several = words.hundredths[sign]
            return f"{int(part)} {one if part == '01' else several}"
        if part and part.strip("0") and part[0] == "0" and sign in words.hundredths:
            one, several = words.hundredths[sign]
            small = f"{int(part)} {one if part == '01' else several}"
            both = cldr.both(self._language)
            return f"{self._one(whole)} {self._coin(sign, whole)} {both} {small}"
        if part and part.strip("0"):
            joined = f" {words.and_cents}" if words.and_cents else ""
            return f"{self._one(whole)} {self._coin(sign, whole)}{joined} {int(part)}"
        counted = (last or whole) if last or not part else whole
        return f"{whole if last else self._one(whole)} {self._coin(sign, counted)}"

    def _coin(self, sign: str, number: str) -> str:
        code = cldr.COINS.get(sign, sign)
        signs = [sign, *(each for each, of in cldr.COINS.items() if of == code and sign == code)]
        for each in signs:
            if each in self._words.coins:
                forms = self._words.coins[each]
                return forms[min(cldr.plural(number, self._language), len(forms) - 1)]
        return cldr.coin(code, number, self._language) or sign

    def _one(self, number: str) -> str:
        return self._words.one if number == "1" and self._words.one else number

    def _per(self, line: str) -> str:
        if not self._words.per:
            return line
        kinds = "|".join(map(re.escape, sorted(self._words.per, key=len, reverse=True)))
        return re.sub(rf"(?<=\w)\s?/\s?({kinds})\b", lambda m: f" {self._words.per[m[1]]}", line)

    # Fractions

    def _fractions(self, line: str) -> str:
        line = _MIXED.sub(lambda m: self._mixed(m[0], m[1], int(m[2]), int(m[3])), line)
        line = _FRACTION.sub(lambda m: self._part(int(m[1]), int(m[2])) or m[0], line)
        return _SLASHED.sub(" ", line)

    def _part(self, above: int, below: int) -> str:
        rules = self._words.fractions
        if not rules.rule or not 0 < above < below or below not in _PARTS:
            return ""
        if str(below) in rules.own:
            named = rules.own[str(below)][above > 1]
        else:
            ordinal = cldr.spelled(below, self._language, rules.rule)
            named = ordinal + (rules.several_ending if above > 1 else rules.ending)
        return f"{rules.one if above == 1 and rules.one else above} {named}".strip()

    def _mixed(self, written: str, whole: str, above: int, below: int) -> str:
        rules = self._words.fractions
        if (above, below) == (1, 2) and rules.and_half:
            spelled = rules.spelled and cldr.spelled(int(whole), self._language, rules.spelled)
            return rules.and_half.format(n=spelled or whole)
        part = self._part(above, below)
        return rules.mixed.format(n=whole, part=part) if part and rules.mixed else written

    # Units

    @cached_property
    def _units(self) -> re.Pattern[str]:
        units = {*cldr.symbols(self._language), *self._words.measures}
        either = "|".join(re.escape(unit) for unit in sorted(units, key=len, reverse=True))
        per = "|".join(map(re.escape, sorted(self._words.per))) or "(?!)"
        number = rf"(?<![\w.,])({_N})(?:{_DASH}({_N}))?"
        return re.compile(
            rf"{number}(\s?)({either})(?!/(?!(?:{per})\b))(?![\w²³°])(?:\.(?=\s[^\W\dA-Z]))?"
        )

    def _measures(self, line: str) -> str:
        line = _FEET.sub(r"\1 ft \2 in", line)
        line = _HOURS.sub(r"\1 h \2 min", line)
        line = re.sub(r"(?<=[a-z])\^2\b", "²", line)
        line = self._units.sub(self._measure, line)
        return self._per(line)

    def _measure(self, found: re.Match[str]) -> str:
        first, last, space, unit = found.groups()
        # "in" is mostly a word.
        lead, after = found.string[: found.start()], found.string[found.end() :]
        if unit == "in" and not re.search(r"(?:ft|foot|feet)\s$", lead):
            return found[0]
        if unit == "s" and not space:
            return found[0]
        if unit == self._math.minus and re.match(r"\s[\d(]", after):
            return found[0]
        count = last or first
        if fraction := re.search(r"(\d\s)?\d+/$", lead):
            # Of a part there is one: "3/4 teaspoon", "2 1/2 teaspoons".
            count = "2" if fraction[1] else "1"
        if unit in self._words.measures:
            one, several = self._words.measures[unit]
            said = f"{count} {one if count == '1' else several}"
        else:
            said = cldr.measured(count, cldr.symbols(self._language)[unit], self._language)
        if not said:
            return found[0]
        if fraction:
            return said.replace(count, first, 1)
        if last and self._words.to:
            said = said.replace(last, f"{first} {self._words.to} {last}", 1)
        elif last:
            said = said.replace(last, f"{first}–{last}", 1)
        elif self._words.one and said.startswith("1 "):
            said = f"{self._words.one} {said[2:]}"
        return said

    # Ranges

    def _ranges(self, line: str) -> str:
        if not self._words.to:
            return line
        line = _DASHED.sub(f" {self._words.to} ", line)
        line = _TIGHT_LETTERED.sub(rf"\1 {self._words.to} \2", line)
        return _RANGE.sub(self._range, line)

    def _range(self, found: re.Match[str]) -> str:
        """A range ascends; "24-7" and "3-2" are two numbers."""
        first, percent, last = found.groups()
        low, high = (cldr.value(each, self._language) for each in (first, last))
        if low is None or high is None:
            return found[0]
        years = len(first) == 4 and len(last) == 2
        # "a Boeing 737-800", but "Pages 100-200".
        named = re.search(r"\s[A-Z]\w+\s$", found.string[: found.start()]) and len(first) == 3
        if low == 1 and last in _TOLL_FREE:
            return f"{first} {last}"
        if (low < high or years) and not (named and low >= 100):
            return f"{first}{percent} {self._words.to} {last}"
        return f"{first}{percent} {last}"


def _written_out(found: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", found[0]).replace("⁄", "/")


@lru_cache(maxsize=16)
def quantities(language: str) -> Quantities:
    """Those of a language, made once."""
    return Quantities(language)
