"""Units, coins, dates and numbers in words, of all languages that Unicode's CLDR describes.

Babel has the names with their plurals, unicode-rbnf the rules of number words. A language that
neither knows gets empty answers, and its text stays as it is written.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import get_currency_name
from babel.units import format_unit
from unicode_rbnf import RbnfEngine
from unicode_rbnf.engine import NoRuleForNumberError

CLDR_UNITS = {
    "mm": "length-millimeter",
    "cm": "length-centimeter",
    "m": "length-meter",
    "km": "length-kilometer",
    "in": "length-inch",
    "ft": "length-foot",
    "yd": "length-yard",
    "mi": "length-mile",
    "cm²": "area-square-centimeter",
    "m²": "area-square-meter",
    "km²": "area-square-kilometer",
    "sq ft": "area-square-foot",
    "ha": "area-hectare",
    "cm³": "volume-cubic-centimeter",
    "m³": "volume-cubic-meter",
    "cm2": "area-square-centimeter",
    "m2": "area-square-meter",
    "km2": "area-square-kilometer",
    "cm3": "volume-cubic-centimeter",
    "m3": "volume-cubic-meter",
    "ml": "volume-milliliter",
    "mL": "volume-milliliter",
    "cl": "volume-centiliter",
    "dl": "volume-deciliter",
    "l": "volume-liter",
    "L": "volume-liter",
    "fl oz": "volume-fluid-ounce",
    "gal": "volume-gallon",
    "tbsp": "volume-tablespoon",
    "tsp": "volume-teaspoon",
    "µg": "mass-microgram",
    "mg": "mass-milligram",
    "g": "mass-gram",
    "kg": "mass-kilogram",
    "t": "mass-tonne",
    "oz": "mass-ounce",
    "lb": "mass-pound",
    "lbs": "mass-pound",
    "mph": "speed-mile-per-hour",
    "km/h": "speed-kilometer-per-hour",
    "kph": "speed-kilometer-per-hour",
    "kmh": "speed-kilometer-per-hour",
    "m/s": "speed-meter-per-second",
    "m/s²": "acceleration-meter-per-square-second",
    "°C": "temperature-celsius",
    "℃": "temperature-celsius",
    "°F": "temperature-fahrenheit",
    "℉": "temperature-fahrenheit",
    "°": "angle-degree",
    "%": "concentr-percent",
    "‰": "concentr-permille",
    "ms": "duration-millisecond",
    "s": "duration-second",
    "sec": "duration-second",
    "min": "duration-minute",
    "mins": "duration-minute",
    "secs": "duration-second",
    "yr": "duration-year",
    "yrs": "duration-year",
    "h": "duration-hour",
    "hr": "duration-hour",
    "hrs": "duration-hour",
    "Hz": "frequency-hertz",
    "kHz": "frequency-kilohertz",
    "MHz": "frequency-megahertz",
    "GHz": "frequency-gigahertz",
    "kB": "digital-kilobyte",
    "KB": "digital-kilobyte",
    "MB": "digital-megabyte",
    "GB": "digital-gigabyte",
    "TB": "digital-terabyte",
    "W": "power-watt",
    "kW": "power-kilowatt",
    "MW": "power-megawatt",
    "GW": "power-gigawatt",
    "kWh": "energy-kilowatt-hour",
    "kcal": "energy-kilocalorie",
    "kJ": "energy-kilojoule",
    "V": "electric-volt",
    "mA": "electric-milliampere",
    "Ω": "electric-ohm",
    "hPa": "pressure-hectopascal",
    "bar": "pressure-bar",
    "psi": "pressure-pound-force-per-square-inch",
}
"""Symbols that all languages share, and CLDR's names for their units."""

COINS = {
    "US$": "USD",
    "A$": "AUD",
    "C$": "CAD",
    "CA$": "CAD",
    "NZ$": "NZD",
    "HK$": "HKD",
    "R$": "BRL",
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "₩": "KRW",
    "₽": "RUB",
    "₺": "TRY",
    "₴": "UAH",
    "zł": "PLN",
    "Kč": "CZK",
}
"""Signs of coins and their codes."""
CURRENCY_CODES = frozenset(
    {
        *("USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "NZD", "INR", "CNY", "BRL", "MXN"),
        *("SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RUB", "TRY", "KRW"),
    }
)
"""Codes of coins that are read as their names."""

_PLURALS = ("zero", "one", "two", "few", "many", "other")
_NUMBER = re.compile(r"[\d.,\s]*\d")
_LARGEST = 10**15
"""From here on numbers are read as they are written."""


@lru_cache(maxsize=256)
def _locale(language: str) -> Locale | None:
    try:
        return Locale.parse(language.replace("-", "_").split("_")[0])
    except (UnknownLocaleError, ValueError, TypeError):
        return None


@lru_cache(maxsize=64)
def symbols(language: str) -> dict[str, str]:
    """CLDR's unit by symbol: those that all languages share, and the language's own short forms."""
    found = dict(CLDR_UNITS)
    if locale := _locale(language):
        for unit in dict.fromkeys(CLDR_UNITS.values()):
            short = _NUMBER.sub("", format_unit(2, unit, "short", locale=locale)).strip()
            if short and not short.isascii():
                found.setdefault(short, unit)
                found.setdefault(short.rstrip("."), unit)
    return found


def value(number: str, language: str) -> float | None:
    """The value of a number as it is written in the language; None if it is none."""
    point, group = marks(language)
    try:
        amount = float(number.replace(group, "").replace(" ", "").replace(point, "."))
    except ValueError:
        return None
    return amount if abs(amount) < _LARGEST else None


@lru_cache(maxsize=64)
def marks(language: str) -> tuple[str, str]:
    """The decimal mark and the mark between thousands."""
    locale = _locale(language)
    if locale is None:
        return ".", ","
    known = locale.number_symbols
    table = known.get("latn", known)
    return table.get("decimal", "."), table.get("group", ",")


@lru_cache(maxsize=1024)
def measured(number: str, unit: str, language: str) -> str:
    """`number` with the unit in words, in its plural; empty if the language has none."""
    locale, amount = _locale(language), value(number, language)
    if locale is None or amount is None:
        return ""
    whole = int(amount) if amount == int(amount) else amount
    said = format_unit(whole, unit, "long", locale=locale)
    return _NUMBER.sub(lambda _: number, said, count=1).replace("\xa0", " ")


def plural(number: str, language: str) -> int:
    """Which form of a noun stands behind `number`: 0, 1 and so on, as CLDR orders them."""
    locale, amount = _locale(language), value(number, language)
    if locale is None or amount is None:
        return 0 if number == "1" else 1
    used = [tag for tag in _PLURALS if tag in locale.plural_form.tags or tag == "other"]
    form = locale.plural_form(int(amount) if amount == int(amount) else amount)
    return used.index(form)


@lru_cache(maxsize=256)
def coin(code: str, number: str, language: str) -> str:
    """The name of a coin in the plural of `number`; empty if the language has none."""
    locale, amount = _locale(language), value(number, language)
    if locale is None:
        return ""
    amount = 2 if amount is None else amount
    return get_currency_name(code, int(amount) if amount == int(amount) else amount, locale=locale)


@lru_cache(maxsize=64)
def both(language: str) -> str:
    """The word for `&`; empty if the language has none."""
    locale = _locale(language)
    if locale is None:
        return ""
    joined = format_list(["0", "1"], locale=locale).strip()
    word = joined.removeprefix("0").removesuffix("1").strip()
    return word if word.isalpha() else ""


@lru_cache(maxsize=64)
def months(language: str) -> frozenset[str]:
    """The names of months as they stand beside a day."""
    locale = _locale(language)
    return frozenset(locale.months["format"]["wide"].values()) if locale else frozenset()


@lru_cache(maxsize=64)
def short_months(language: str) -> dict[str, str]:
    """The names of months by their short forms."""
    locale = _locale(language)
    if locale is None:
        return {}
    named = locale.months["format"]
    return {named["abbreviated"][n].rstrip("."): named["wide"][n] for n in range(1, 13)}


@lru_cache(maxsize=64)
def weekdays(language: str) -> dict[str, str]:
    """The names of days by their short forms."""
    locale = _locale(language)
    if locale is None:
        return {}
    days = locale.days["format"]
    return {days["abbreviated"][n].rstrip("."): days["wide"][n] for n in range(7)}


@lru_cache(maxsize=64)
def own_name(language: str) -> str:
    """The language's name for itself; empty if it is unknown."""
    locale = _locale(language)
    return (locale.get_language_name(locale) or "") if locale else ""


def dated(year: int, month: int, day: int, language: str) -> str:
    """A date in words and numbers; empty if there is no such day."""
    locale = _locale(language)
    try:
        return format_date(datetime.date(year, month, day), "long", locale=locale) if locale else ""
    except ValueError:
        return ""


@lru_cache(maxsize=64)
def _rules(language: str) -> RbnfEngine | None:
    try:
        return RbnfEngine.for_language(language.replace("-", "_").split("_")[0])
    except (ValueError, OSError, KeyError):
        return None


@lru_cache(maxsize=1024)
def spelled(number: int | Decimal, language: str, rule: str) -> str:
    """`number` in words by one of CLDR's rules, for example "ordinal"; empty if there is none."""
    engine, name = _rules(language), f"spellout-{rule}"
    if engine is None or name not in engine.rulesets:
        return ""
    try:
        return engine.format_number(number, ruleset_names=[name]).text
    except NoRuleForNumberError:
        return ""


def weekday(day: datetime.date, language: str) -> str:
    """The name of the day of the week; empty if it is unknown."""
    locale = _locale(language)
    return format_date(day, "EEEE", locale=locale) if locale else ""


def listed(items: Sequence[str], language: str) -> str:
    """A list as it is written: "a, b, and c"."""
    locale = _locale(language)
    return format_list(items, locale=locale) if locale else ", ".join(items)


def language_name(code: str, language: str) -> str:
    """The name of the language `code` in another language; empty if it is unknown."""
    locale, other = _locale(code), _locale(language)
    return (locale.get_language_name(other) or "") if locale and other else ""
