"""Exact conversion of units."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import pint

NAMES = {
    "degree_celsius": "degC",
    "degree_fahrenheit": "degF",
    "calorie": "calorie",
}
"""Units of the sentence files that pint has another name for."""
CLDR = {
    "millimeter": "length-millimeter",
    "centimeter": "length-centimeter",
    "meter": "length-meter",
    "kilometer": "length-kilometer",
    "inch": "length-inch",
    "foot": "length-foot",
    "yard": "length-yard",
    "mile": "length-mile",
    "nautical_mile": "length-nautical-mile",
    "milligram": "mass-milligram",
    "gram": "mass-gram",
    "kilogram": "mass-kilogram",
    "metric_ton": "mass-tonne",
    "ounce": "mass-ounce",
    "pound": "mass-pound",
    "stone": "mass-stone",
    "milliliter": "volume-milliliter",
    "centiliter": "volume-centiliter",
    "liter": "volume-liter",
    "teaspoon": "volume-teaspoon",
    "tablespoon": "volume-tablespoon",
    "cup": "volume-cup",
    "fluid_ounce": "volume-fluid-ounce",
    "pint": "volume-pint",
    "quart": "volume-quart",
    "gallon": "volume-gallon",
    "second": "duration-second",
    "minute": "duration-minute",
    "hour": "duration-hour",
    "day": "duration-day",
    "week": "duration-week",
    "year": "duration-year",
    "degree_celsius": "temperature-celsius",
    "degree_fahrenheit": "temperature-fahrenheit",
    "kilometer/hour": "speed-kilometer-per-hour",
    "mile/hour": "speed-mile-per-hour",
    "meter/second": "speed-meter-per-second",
    "knot": "speed-knot",
    "hectare": "area-hectare",
    "acre": "area-acre",
    "meter**2": "area-square-meter",
    "foot**2": "area-square-foot",
    "kilometer**2": "area-square-kilometer",
    "mile**2": "area-square-mile",
    "calorie": "energy-calorie",
    "joule": "energy-joule",
    "kilojoule": "energy-kilojoule",
    "kilocalorie": "energy-kilocalorie",
    "bar": "pressure-bar",
    "psi": "pressure-pound-force-per-square-inch",
    "watt": "power-watt",
    "kilowatt": "power-kilowatt",
    "horsepower": "power-horsepower",
    "metric_horsepower": "power-horsepower",
    "byte": "digital-byte",
    "kilobyte": "digital-kilobyte",
    "megabyte": "digital-megabyte",
    "gigabyte": "digital-gigabyte",
    "terabyte": "digital-terabyte",
}
"""Unicode's names of the units, for their names in each language. A `pfund` has none."""


@lru_cache(maxsize=1)
def registry() -> pint.UnitRegistry[Fraction]:
    """The units that are known; takes half a second at first."""
    units: pint.UnitRegistry[Fraction] = pint.UnitRegistry(non_int_type=Fraction, cache_folder=None)
    units.define("pfund = 500 * gram")
    return units


def converted(value: Fraction, unit: str, to: str) -> Fraction | None:
    """`value` in another unit; None if the two measure different things, or it is below zero
    kelvin."""
    units = registry()
    try:
        quantity = units.Quantity(value, NAMES.get(unit, unit))
        found = quantity.to(NAMES.get(to, to)).magnitude
        if "degree" in unit and quantity.to("kelvin").magnitude < 0:
            return None
    except pint.PintError:
        return None
    return Fraction(found)
