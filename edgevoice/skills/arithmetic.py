"""Exact arithmetic on a few numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

MOST_DIGITS = 30
"""Largest result, in digits: more cannot be said."""


class ResultTooLarge(ArithmeticError):
    """The result is larger than can be said."""


def calculated(terms: Sequence[Fraction | str]) -> Fraction | str:
    """The value of numbers with an operator between each two: plus, minus, times, over, power.

    "zero" where something is divided by zero. Raises ResultTooLarge.
    """
    numbers = [term for term in terms if isinstance(term, Fraction)]
    operators = [term for term in terms if isinstance(term, str)]
    for binding in (("power",), ("times", "over"), ("plus", "minus")):
        at = 0
        while at < len(operators):
            if operators[at] not in binding:
                at += 1
                continue
            value = _applied(operators.pop(at), numbers[at], numbers.pop(at + 1))
            if value is None:
                return "zero"
            numbers[at] = value
    if abs(numbers[0]) >= 10**MOST_DIGITS:
        raise ResultTooLarge
    return numbers[0]


def _applied(operator: str, left: Fraction, right: Fraction) -> Fraction | None:
    if operator == "plus":
        return left + right
    if operator == "minus":
        return left - right
    if operator == "times":
        return left * right
    if operator == "over":
        return left / right if right else None
    if right.denominator != 1 or abs(right) > 1000:
        raise ResultTooLarge
    if left == 0 and right < 0:
        return None
    if abs(right) * math.log10(max(2, abs(left.numerator), left.denominator)) > 3 * MOST_DIGITS:
        raise ResultTooLarge
    return left ** int(right)


def root(of: Fraction) -> Fraction | str:
    """The square root: exact where it is a fraction, else the nearest; "none" below zero."""
    if of < 0:
        return "none"
    above, below = math.isqrt(of.numerator), math.isqrt(of.denominator)
    if above**2 == of.numerator and below**2 == of.denominator:
        return Fraction(above, below)
    return Fraction(math.sqrt(of))
