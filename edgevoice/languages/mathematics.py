"""Sums, comparisons and LaTeX in words; a dash that is no minus stays."""

from __future__ import annotations

import re

from edgevoice.languages.schema import Mathematics

_INLINE = re.compile(r"\$\$(.+?)\$\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.S)
# A closing $ has no blank before it and no digit behind it; else two amounts are meant.
_DOLLARS = re.compile(r"(?<![\w$\\])\$(?=\S)([^$\n]{0,200}?[^\s$\\])\$(?![\w$])")
_FORMULA = re.compile(r"[=+^_\\<>*/]|^[a-zA-Z]$|\d[a-z]")

_GROUP = r"\{([^{}]*)\}"
_FRAC = re.compile(rf"\\[dt]?frac\s*{_GROUP}\s*{_GROUP}")
_SHORT_FRAC = re.compile(r"\\[dt]?frac\s?(\d)\s?(\d)")
_CIRC = re.compile(r"\^\s?\{?\s?\\circ\s?\}?\s?")
_SQRT = re.compile(rf"\\sqrt\s*{_GROUP}")
_NTH_ROOT = re.compile(rf"\\sqrt\s*\[(\w+)\]\s*{_GROUP}")
_RAISED_TEXT = re.compile("(?<=[\\w)])([⁻⁰¹²³⁴-⁹ⁿ]{2,}|[⁰¹⁴-⁹ⁿ])")
_RAISED_DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ", "-0123456789n")
_PLAIN = re.compile(rf"\\(?:boxed|text|mathrm|mathbf|mathit|operatorname)\s*{_GROUP}")
_SPACING = re.compile(r"\\(?:left|right|displaystyle|quad|qquad|[,;:! ])")
_NAMED = re.compile(r"\\([a-zA-Z]+)")
_SIGNS = {
    "times": "×", "cdot": "×", "div": "÷", "pm": "±", "approx": "≈", "neq": "≠", "ne": "≠",
    "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "lt": "<", "gt": ">", "to": "→",
    "rightarrow": "→", "pi": "π", "ldots": "…", "dots": "…",
}  # fmt: skip
_COMMAND = re.compile(rf"\\(?:[dt]?frac|sqrt|boxed|text|circ|{'|'.join(_SIGNS)})(?![a-zA-Z])")
_DEEPEST = 5
"""Fractions and roots within each other."""

_POWER = re.compile(r"(?<=[\w)])\s?\^\s?(?:\{([^{}]*)\}|([-−]?\w+))")
_PRODUCT = re.compile(r"(?<![\w^])([a-zA-Z]{2,3})(?=\s?\^\s?\{?[-−\d])")
_COEFFICIENT = re.compile(r"(?<![\w.])(\d+)([a-z])(?![a-zA-Z])")
_ROOT = re.compile(r"√\s?(?=[\w(])")
_RAISED = re.compile(r"(?<=[\w)])([²³])")

_NUMBER = r"\d+(?:[.,]\d+)*"
# What a sum may have on its left: a number, a single letter, a bracket.
_LEFT = r"(?:(?<=[\d)²³%])|(?<=(?<!\w)[a-zA-Z]))"
_RIGHT = r"(?=[-−]?[$€£¥₹√(]?\.?\d|[-−]?[a-zA-Z](?![^\W²³])|\()"
_TIMES = re.compile(rf"{_LEFT}\s?[*·⋅]\s?{_RIGHT}|(?<=\d)\s?x\s(?=\d)|\s?×\s?")
_PLUS = re.compile(rf"{_LEFT}\+{_RIGHT}|(?<=\S)\s\+\s(?=\S)|(?<=[^\W\d])\s\+(?=[\d(])")
_SPACED_MINUS = re.compile(rf"{_LEFT}\s[-−–]\s{_RIGHT}")
_TRUE_MINUS = re.compile(rf"{_LEFT}\s?−\s?{_RIGHT}")
_SPACED_RANGE = re.compile(rf"(?<![\d=+*/×÷-]\s)(?<!\w)({_NUMBER})\s[-–]\s({_NUMBER})(?=\s[^\W\d])")
_OPPOSITE = re.compile(r"(?<=[=(*/+×])\s?[-−]\s?(?=[a-z](?![^\W²³]))")
_NEGATIVE = re.compile(r"(?<![\w)\]}.,–−-])[-−](?=[$€£¥₹]?\.?\d)")
_DIVIDED = re.compile(rf"\s?÷\s?|{_LEFT}\s/\s{_RIGHT}|(?<=\d)/(?=\d+\s?=)")
_COLON = re.compile(r"(?<=\d)\s?:\s?(?=\d+\s?=)")


def formulas(text: str, words: Mathematics) -> str:
    """LaTeX in `text` as signs and words that `sums` understands, without its marks."""
    if "\\" not in text and "$" not in text:
        return text
    text = _INLINE.sub(lambda m: f" {_formula(m[1] or m[2] or m[3], words)} ", text)
    text = _DOLLARS.sub(
        lambda m: _formula(m[1], words) if _FORMULA.search(m[1]) else m[0],
        text,
    )
    return _formula(text, words, coefficients=False) if _COMMAND.search(text) else text


def _formula(text: str, words: Mathematics, *, coefficients: bool = True) -> str:
    text = _CIRC.sub("°", _SHORT_FRAC.sub(r"\\frac{\1}{\2}", text.replace(r"\%", "%")))
    text = _SPACING.sub(" ", text)
    for _ in range(_DEEPEST):
        before = text
        text = _PLAIN.sub(r"\1", text)
        text = _SQRT.sub(rf" {words.root} \1 " if words.root else r" √\1 ", text)
        text = _NTH_ROOT.sub(rf"\2 {words.power or '^'} 1 {words.over or '/'} \1", text)
        text = _FRAC.sub(rf" \1 {words.over or '/'} \2 ", text)
        if text == before:
            break
    text = _NAMED.sub(lambda m: f" {_SIGNS.get(m[1], m[1])} ", text)
    if coefficients:
        text = _COEFFICIENT.sub(r"\1 \2", text)
    return re.sub(r"[ \t]+", " ", text)


def sums(line: str, words: Mathematics, to: str) -> str:
    """A line with its operators in words. `to`: what is said within a range."""
    if not words.minus:
        return line
    line = _RAISED_TEXT.sub(lambda m: "^" + m[1].translate(_RAISED_DIGITS), line)
    line = _PRODUCT.sub(lambda m: " ".join(m[1]), line)
    line = _POWER.sub(lambda m: _power(m[1] or m[2] or "", words), line)
    line = re.sub(r" {2,}", " ", _ROOT.sub(f" {words.root} ", line))
    for pattern, said in (
        (r"\s?(?:[<>]=>|⇔)\s?", ", "),
        (r"\s?(?:>=|≥)\s?", words.at_least),
        (r"\s?(?:<=|≤)\s?", words.at_most),
        (r"\s?(?:!=|≠)\s?", words.not_equal),
        (r"(?<=[\w)])\s?≈\s?", words.about_equal),
        (r"\s?(?:±|\+/-)\s?", words.plus_minus),
    ):
        if said:
            line = re.sub(pattern, f" {said} ", line)
    if to and "=" not in line:
        line = _SPACED_RANGE.sub(lambda m: _ranged(m, to), line)
    line = _chained(line, words)
    line = _TIMES.sub(f" {words.times} ", line)
    line = _DIVIDED.sub(f" {words.divided_by} ", line)
    line = _COLON.sub(f" {words.divided_by} ", line)
    line = _PLUS.sub(f" {words.plus} ", line)
    line = _TRUE_MINUS.sub(f" {words.minus} ", line)
    line = _SPACED_MINUS.sub(lambda m: _minus_or_dash(line, m, words), line)
    line = _OPPOSITE.sub(f" {words.minus} ", line)
    line = _NEGATIVE.sub(f"{words.minus} ", line)
    return re.sub(r"(?<![=<>-])\s?==?\s?(?![=>])", f" {words.equals} ", line)


def raised(line: str, words: Mathematics) -> str:
    """² and ³ that belong to no unit."""
    if not words.squared:
        return line
    return _RAISED.sub(lambda m: f" {words.squared if m[1] == '²' else words.cubed} ", line)


def _power(exponent: str, words: Mathematics) -> str:
    exponent = exponent.strip()
    if exponent == "2":
        return f" {words.squared} "
    if exponent == "3":
        return f" {words.cubed} "
    return f" {words.power} {re.sub('^[-−]', words.minus + ' ', exponent)} "


def _ranged(found: re.Match[str], to: str) -> str:
    first, last = (float(re.sub(r"[.,]", "", found[n])) for n in (1, 2))
    return f"{found[1]} {to} {found[2]}" if first < last else found[0]


def _chained(line: str, words: Mathematics) -> str:
    """5-3=2 and "5-3 is 2": what is followed by a result is a difference."""
    results = "|".join(["=", *(rf"{re.escape(word)}\b" for word in sorted(words.results))])
    chain = rf"(?<![\w-])\d[\d.,]*(?:[-+*/]\d[\d.,]*)+(?=\s?(?:{results}))"
    return re.sub(
        chain,
        lambda m: (
            m[0]
            .replace("-", f" {words.minus} ")
            .replace("+", f" {words.plus} ")
            .replace("*", f" {words.times} ")
            .replace("/", f" {words.divided_by} ")
        ),
        line,
    )


def _minus_or_dash(line: str, found: re.Match[str], words: Mathematics) -> str:
    """Between letters a dash is a minus only in a line with other signs of a sum."""
    if re.match(r"\s[-−–]\s[a-z]\s?(?:[=.,;?)]|$)", line[found.start() :]):
        return f" {words.minus} " if line[found.start() - 1].islower() else found[0]
    numeric = line[found.start() - 1] in "0123456789)²³"
    summed = re.search(rf"=|\s(?:{re.escape(words.plus)}|{re.escape(words.times)})\s|[²³]", line)
    return f" {words.minus} " if numeric or summed else found[0]
