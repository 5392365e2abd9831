"""Text normalization: from generated text to text for the synthesizer.

espeak-ng speaks some signs well in every language (%, &, °, +, =, ×), and they stay. Markdown,
emoji, code, addresses and tables become words of the language, or are dropped.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache

from edgevoice.languages import all_words, language_data
from edgevoice.languages.schema import Signs, Units

_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[^`\n]*(?:\n.*?(?:^[ \t]*\1[^\n]*|\Z)|\Z)", re.M | re.S)
_TAG = re.compile(r"<!--.*?-->|</?[a-zA-Z][^<>@:]*/?>", re.S)
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_FOOTNOTE = re.compile(r"\[\^?\d+\]")
_URL = re.compile(
    r"<?\b(?:https?://|ftp://|www\.)([^\s<>()\[\]/?#:]+)[^\s<>()\[\]]*?([.,;:!?]*)>?(?=[\s)\]*_\"”]|$)"
)
_EMAIL = re.compile(r"\b([\w.+-]+)@([\w-]+(?:\.[\w-]+)+)\b")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_MATH = re.compile(r"\\[()\[\]]|\$\$")

_BLANKS = re.compile(r"\s{5,}")
_RULE = re.compile(r"^\s*(?:[-*_=]\s*){3,}$")
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_QUOTE = re.compile(r"^\s*(?:>\s?)+")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_BULLET = re.compile(r"^\s*(?:[-*+•‣◦▪]\s+)(?:\[[ xX]\]\s+)?")
_NUMBER = re.compile(r"^(\s*\d+)[.)]\s+")

_STRONG = re.compile(r"\*\*+|__+|~~+|`+")
_TIMES = re.compile(r"(?<=\d)\s*\*\s*(?=\d)")
_UNDERLINE = re.compile(r"(?<!\w)_+|_+(?!\w)")
_ARROW = re.compile(r"\s*(?:[→⇒⟶➔➜]|[-=]+>)\s*")
_BACK_ARROW = re.compile(r"\s*(?:[←↔⇐↑↓⇑⇓⇔])\s*")
_DASH = re.compile(r"\s*—\s*|\s+(?:–|--?)\s+|(?<=\w)--(?=\w)")
_ELLIPSIS = re.compile(r"\s*(?:…|\.{3,})\s*(\w?)")
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\U000e0020-\U000e007f\u2300-\u23ff\u2500-\u27bf\u2b00-\u2bff"
    "\ufe0f\u20e3\u200d®™]"
)
_TITLES = "|".join(map(re.escape, sorted(all_words(lambda each: each.signs.titles))))
_TITLE = re.compile(rf"\b({_TITLES})\.(?=\s)")
_BRACKETS = re.compile(r"[\[\]{}<>\\^#|]+")

_SCALES = "|".join(map(re.escape, sorted(all_words(lambda each: each.signs.scales))))
_AMOUNT = r"(\d+(?:[.,]\d{3})*)(?:[.,](\d{1,2}))?"
_MONEY = re.compile(rf"([$€£¥₹])\s?{_AMOUNT}(?!\d)(\s(?:{_SCALES})\b)?")
_MONEY_AFTER = re.compile(rf"(?<![\w.,]){_AMOUNT}(\s(?:{_SCALES}))?\s?([$€£¥₹])(?!\s?\d)")
_RANGE = re.compile(r"(?<=\d)\s?–\s?(?=\d)|(?<![\d-])(?<=\d)-(?=\d{1,3}(?![\d-]))")
_HYPHEN_RANGE = re.compile(r"(?<![\w-])(\d{1,3})-(\d{1,3})(?![\w-])")
_SLASH = re.compile(r"(?<=[^\W\d])/(?=[^\W\d])")
_FRACTIONS = {"1/2": "½", "1/4": "¼", "3/4": "¾", "1/3": "⅓", "2/3": "⅔"}
_FRACTION = re.compile(r"(?<![\d/.])([123]/[234])(?![\d/])")

ShortForms = tuple[tuple[re.Pattern[str], str], ...]
"""Units and abbreviations, and what is said for them."""


def normalize(text: str, language: str = "en") -> str:
    """The spoken form of `text`, a clause or several lines; empty if there is nothing to say."""
    language = language or "en"
    words = language_data(language).signs
    text = _FENCE.sub(words.code, text)
    text = html.unescape(text)
    text = _LINK.sub(r"\1", text)
    text = _URL.sub(lambda m: _dotted(m[1].removeprefix("www."), words) + m[2], text)
    text = _EMAIL.sub(lambda m: _address(m[1], m[2], words), text)
    text = _TAG.sub(" ", text)
    text = _MATH.sub(" ", text)
    text = _ESCAPE.sub(r"\1", text)
    short = _short_forms(language)
    lines = [said for line in text.splitlines() if (said := _line(line, words, short))]
    whole = " ".join(_ended(line) for line in lines[:-1]) + " " + (lines[-1] if lines else "")
    whole = whole.strip()
    return whole if any(char.isalnum() for char in whole) else ""


def _line(line: str, words: Signs, short: ShortForms) -> str:
    """One line without its markup."""
    # What stands between two words takes several patterns; together they would try all lengths.
    line = _BLANKS.sub("    ", line)
    if _RULE.match(line) or _TABLE_RULE.match(line):
        return ""
    line = _QUOTE.sub("", line)
    line = _HEADING.sub(r"\1", line)
    line = _BULLET.sub("", line)
    line = _NUMBER.sub(r"\1, ", line)
    if line.strip().startswith("|"):
        line = ", ".join(cell.strip() for cell in line.strip().strip("|").split("|"))
    line = _STRONG.sub("", line)
    line = _TIMES.sub(" × ", line)
    line = _UNDERLINE.sub("", line.replace("*", "")).replace("_", " ")
    line = _FOOTNOTE.sub("", line)
    line = _FRACTION.sub(lambda m: _FRACTIONS.get(m[1], m[1]), line)
    line = _MONEY.sub(lambda m: _money(m[1], m[2], m[3], m[4], words), line)
    line = _MONEY_AFTER.sub(lambda m: _money(m[4], m[1], m[2], m[3], words), line)
    line = _ARROW.sub(f" {words.leads_to} " if words.leads_to else ", ", line)
    line = _BACK_ARROW.sub(", ", line)
    if words.to:
        line = _RANGE.sub(f" {words.to} ", line)
        line = _HYPHEN_RANGE.sub(rf"\1 {words.to} \2", line)
    for pattern, said in short:
        line = pattern.sub(said, line)
    line = _SLASH.sub(" ", line)
    line = _TITLE.sub(r"\1", line)
    line = _DASH.sub(", ", line)
    line = _ELLIPSIS.sub(lambda m: (". " if not m[1] or m[1].isupper() else ", ") + m[1], line)
    line = _EMOJI.sub(" ", line)
    line = _BRACKETS.sub(" ", line)
    return _tidy(line)


def _tidy(line: str) -> str:
    line = re.sub(r"\s+", " ", line)
    line = re.sub(r"\s+([,.;:!?])", r"\1", line)
    line = re.sub(r"([,;:])[,;:]*(?:\s*,)+", r"\1", line)
    line = re.sub(r"([.!?]),", r"\1", line)
    line = re.sub(r"\(\s*\)", "", line)
    return line.strip().lstrip(",;:.!?)").strip()


def _ended(line: str) -> str:
    """A line with a full stop where it has none, so that the voice pauses behind it."""
    return line if line[-1] in ".!?:;,。！？…" else line + "."


def _dotted(host: str, words: Signs) -> str:
    return host.rstrip(".").replace(".", f" {words.dot} ") if words.dot else host


def _address(name: str, host: str, words: Signs) -> str:
    if not words.at:
        return f"{name} @ {host}"
    return f"{_dotted(name, words)} {words.at} {_dotted(host, words)}"


def _money(sign: str, whole: str, part: str | None, scale: str | None, words: Signs) -> str:
    """An amount with its coin behind it; two digits behind the point are hundredths."""
    if sign not in words.coins:
        return f"{whole}{',' + part if part else ''}{scale or ''} {sign}"
    one, several = words.coins[sign]
    if scale:
        of = f" {words.of_coins} " if words.of_coins else " "
        if words.of_coins_elided and several[0] in "aeiou":
            of = f" {words.of_coins_elided}"
        return f"{whole}{'.' + part if part else ''}{scale}{of}{several}"
    if part and part.strip("0") and len(part) == 2:
        cents = f" {words.and_cents}" if words.and_cents else ""
        return f"{whole} {one if whole == '1' else several}{cents} {part}"
    if part and part.strip("0"):
        return f"{whole}.{part} {several}"
    return f"{whole} {one if whole == '1' and not part else several}"


@lru_cache(maxsize=16)
def _short_forms(language: str) -> ShortForms:
    """What one language says for abbreviations and units, in the order of replacement."""
    signs = language_data(language).signs
    return (
        *(_abbreviated(written, said) for written, said in signs.abbreviations.items()),
        *(
            pair
            for written, said in signs.closing_abbreviations.items()
            for pair in _closing(written, said)
        ),
        *(_exactly(written, said) for written, said in signs.exact_abbreviations.items()),
        *_units(signs.units),
    )


def _abbreviated(written: str, said: str) -> tuple[re.Pattern[str], str]:
    """For "z.B.", also when it is written "z. B.", "zB." or "z.b."."""
    parts = map(re.escape, re.split("[. ]+", written.rstrip(".")))
    return re.compile(rf"\b{'[.]?[ ]?'.join(parts)}\.", re.I), said


def _closing(written: str, said: str) -> ShortForms:
    """Its full stop stays where the sentence ends."""
    word = re.escape(written.rstrip("."))
    return (
        (re.compile(rf"\b{word}\.(?=\s*$|\s+[A-ZÀ-Þ])", re.I), f"{said}."),
        (re.compile(rf"\b{word}\.", re.I), said),
    )


def _exactly(written: str, said: str) -> tuple[re.Pattern[str], str]:
    return re.compile(rf"\b{re.escape(written)}{',?' if said.endswith(',') else ''}"), said


def _units(units: Units) -> ShortForms:
    """Units and signs that all languages write alike."""
    forms = (
        (r"\bkm/h\b", "{}", units.kilometers_per_hour),
        (r"\bm/s\b", "{}", units.meters_per_second),
        (r"\s?°\s?C\b", " {} Celsius", units.degrees),
        (r"\s?°\s?F\b", " {} Fahrenheit", units.degrees),
        (r"(?<!\w)#(?=\d)", "{} ", units.number),
        (r"(?<!\w)[~≈]\s?(?=\d)", "{} ", units.about),
        (r"\s<\s", " {} ", units.less_than),
        (r"\s>\s", " {} ", units.greater_than),
    )
    return tuple((re.compile(sign), form.format(said)) for sign, form, said in forms if said)
