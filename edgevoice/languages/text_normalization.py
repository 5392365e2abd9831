"""Text normalization: from generated text to text for the synthesizer.

Numbers that espeak-ng reads well stay digits. Sums, amounts, units, times, dates, Markdown, emoji,
code, addresses and tables become words of the language, or are dropped. Words come from the
language's data file; plurals, coins, dates and number words from CLDR (`cldr.py`).
"""

from __future__ import annotations

import html
import re
from functools import lru_cache

from edgevoice.languages import all_words, cldr, language_data, unspoken
from edgevoice.languages.calendar import calendar
from edgevoice.languages.mathematics import formulas, raised, sums
from edgevoice.languages.quantities import quantities
from edgevoice.languages.schema import Signs
from edgevoice.languages.scripts import readable

_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[^`\n]*(?:\n.*?(?:^[ \t]*\1[^\n]*|\Z)|\Z)", re.M | re.S)
_TAGS = "a|b|blockquote|br|center|code|del|details|em|font|hr|i|img|ins|kbd|li|mark|ol|p|pre|s"
_TAGS += "|samp|small|span|strong|sub|summary|sup|table|tbody|td|th|thead|tr|u|ul|h[1-6]"
_TAG = re.compile(
    rf"<!--.*?-->|</?(?:{_TAGS})(?:\s+[\w-]+=(?:\"[^\"]*\"|'[^']*'|[^\s<>]+))*\s*/?>", re.S | re.I
)
_NAMED = re.compile(r"</?([^\W\d_]\w{0,30})/?>")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_FOOTNOTE = re.compile(r"\[\^?\d+\]")
_URL = re.compile(
    r"<?\b(?:https?://|ftp://|www\.)([^\s<>()\[\]/?#:]+)[^\s<>()\[\]]*?([.,;:!?]*)>?(?=[\s)\]*_\"”]|$)"
)
_EMAIL = re.compile(r"\b([\w.+-]+)@([\w-]+(?:\.[\w-]+)+)\b")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_MATH = re.compile(r"\\[()\[\]]|\$\$")
_ENDINGS = (
    "com|org|net|edu|gov|io|de|at|ch|fr|es|it|pt|br|nl|be|pl|uk|us|eu|se|no|dk|fi|cz|ru|jp|info"
)
_FILES = (
    "txt|md|py|js|ts|json|toml|yaml|yml|csv|pdf|docx?|xlsx?|html?|css|xml|zip|exe|png|jpe?g|mp3"
)
_FILES += "|mp4|wav|sh|rs|go|cpp|java|ini|cfg|log|onnx|gguf"
_HOST = re.compile(
    rf"(?<![\w@.-])((?:[\w-]+\.)+(?:{_ENDINGS}|{_FILES}))(?![\w-]|\.\w)((?:/[\w.-]*\w)*)/?"
)
_VERSION = re.compile(
    r"(?<![\w.,])(?!\d{1,3}(?:\.\d{3})+(?!\.?\d))v?(\d+(?:\.\d+){2,})(?![\w]|[.,]\d)"
)

_BLANKS = re.compile(r"\s{5,}")
_RULE = re.compile(r"^\s*(?:[-*_=]\s*){3,}$")
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_QUOTE = re.compile(r"^\s*(?:>\s?)+")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_BULLET = re.compile(r"^\s*(?:[-*+•‣◦▪]\s+)(?:\[[ xX]\]\s+)?")
_NUMBER = re.compile(r"^(\s*\d{1,3})[.)]\s+(?=\S)")

_STRONG = re.compile(r"\*\*+|__+|~~+|`+")
_STARRED_POWER = re.compile(r"(?<=\d)\*\*(?=\d)|(?<=(?<!\w)[a-z])\*\*(?=\d)")
_UNDERLINE = re.compile(r"(?<!\w)_+|_+(?!\w)")
_ARROW = re.compile(r"\s*(?:[→⇒⟶➔➜]|[-=]+>)\s*")
_BACK_ARROW = re.compile(r"\s*(?:[←↔⇐↑↓⇑⇓⇔])\s*")
_DASH = re.compile(r"\s*—\s*|\s+(?:–|--?)\s+|(?<=\w)--(?=\w)")
_ELLIPSIS = re.compile(r"\s*(?:…|\.{3,})\s*(\w?)")
_EMOJI = re.compile(
    "(?:[\U0001f000-\U0001faff\U000e0020-\U000e007f\u2300-\u23ff\u2500-\u27bf\u2b00-\u2bff"
    "\ufe0f\u20e3®™]\u200d?)+"
)
_TITLES = "|".join(map(re.escape, sorted(all_words(lambda each: each.signs.titles))))
_TITLE = re.compile(rf"\b({_TITLES})\.(?=\s)")
_INITIAL = re.compile(r"\b([A-ZÀ-Þ])\.(?=\s?[A-ZÀ-Þ](?:\.|\w))")
_DOTTED_LETTERS = re.compile(r"\b(?:[A-Z]\.){2,}")
_SHARP = re.compile(r"(?<!\w)([A-G])#(?!\w)")
_PLUSES = re.compile(r"(?<=[A-Za-z])(\+{1,2})(?![\w+])")
_INITIALS_AND = re.compile(r"(?<!\w)([A-Z]{1,3})&([A-Z])(?!\w)")
_AND = re.compile(r"\s?&\s?")
# Between single letters, numbers and brackets, or between words with blanks.
_COMPARED = re.compile(
    r"(?:(?<=[\d)²³])|(?<=(?<!\w)[a-zA-Z]))\s?([<>])\s?(?=[-−]?\.?\d|[a-zA-Z](?![^\W²³])|\()"
    r"|(?<=\w)\s([<>])\s(?=\w)"
)
_BRACKETS = re.compile(r"[\[\]{}<>\\^#|]+")
_SLASH = re.compile(r"(?<=[^\W\d])/(?=[^\W\d])")
_SAMPLE = "On 5/6/2024 at 8:30: 5 km & 1/2 for $5, Mon-Fri, in 1905, Part II."
ShortForms = tuple[tuple[re.Pattern[str], str], ...]
"""Abbreviations and signs, and what is said for them."""


def normalize(text: str, language: str = "en") -> str:
    """The spoken form of `text`, a clause or several lines; empty if there is nothing to say."""
    language = language or "en"
    words = language_data(language).signs
    text = _FENCE.sub(words.code, unspoken.without(text))
    text = html.unescape(text).replace("\u00ad", "").replace("::", " ")
    text = formulas(text, words.mathematics)
    text = _LINK.sub(r"\1", text)
    text = _URL.sub(lambda m: _dotted(m[1].removeprefix("www."), words) + m[2], text)
    text = _EMAIL.sub(lambda m: _address(m[1], m[2], words), text)
    text = _TAG.sub(" ", text)
    text = _NAMED.sub(r" \1 ", text)
    text = _MATH.sub(" ", text)
    text = _ESCAPE.sub(r"\1", text)
    short = _short_forms(language)
    text = readable(text, language) or (words.foreign if text.strip() else "")
    lines = [said for line in text.splitlines() if (said := _line(line, words, short, language))]
    whole = " ".join(_ended(line) for line in lines[:-1]) + " " + (lines[-1] if lines else "")
    whole = whole.strip()
    return whole if any(char.isalnum() for char in whole) else ""


def prepare(language: str) -> None:
    """Read the rules of a language, which takes some 30 ms, before the first reply needs them."""
    normalize(_SAMPLE, language)


def _line(line: str, words: Signs, short: ShortForms, language: str) -> str:
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
    line = _STRONG.sub("", _STARRED_POWER.sub("^", line))
    line = _FOOTNOTE.sub("", line)
    line = _quantified(line, words, short, language)
    line = _UNDERLINE.sub("", line.replace("*", "")).replace("_", " ")
    line = _ARROW.sub(f" {words.leads_to} " if words.leads_to else ", ", line)
    line = _BACK_ARROW.sub(", ", line)
    line = _SLASH.sub(" ", line)
    line = _DASH.sub(", ", line)
    line = _ELLIPSIS.sub(lambda m: (". " if not m[1] or m[1].isupper() else ", ") + m[1], line)
    line = _EMOJI.sub(" ", line)
    line = _BRACKETS.sub(" ", line)
    return _tidy(line)


def _quantified(line: str, words: Signs, short: ShortForms, language: str) -> str:
    """A line with its abbreviations, signs and numbers in words."""
    for pattern, said in short:
        line = pattern.sub(said, line)
    line = _TITLE.sub(r"\1", line)
    line = _DOTTED_LETTERS.sub(_letters, line)
    line = _INITIAL.sub(r"\1 ", line)
    if words.sharp:
        line = _SHARP.sub(rf"\1 {words.sharp}", line)
    if both := cldr.both(language):
        line = _INITIALS_AND.sub(lambda m: f"{' '.join(m[1])} & {m[2]}", line)
        line = _AND.sub(f" {both} ", line)
    math = words.mathematics
    if math.plus:
        line = _PLUSES.sub(lambda m: f" {math.plus}" * len(m[1]), line)
    line = _days(line, words, language)
    line = calendar(language).dates(line)
    line = calendar(language).times(line)
    line = _HOST.sub(lambda m: _located(m[1], m[2], words), line)
    line = quantities(language).telephones(line)
    line = _VERSION.sub(lambda m: _dotted(m[1], words), line)
    line = calendar(language).years(line)
    line = sums(line, math, words.to)
    if math.less_than and math.greater_than:
        signs = {"<": math.less_than, ">": math.greater_than}
        line = _COMPARED.sub(lambda m: f" {signs[m[1] or m[2]]} ", line)
    line = calendar(language).ordinals(line)
    line = quantities(language).numbers(line)
    line = raised(line, math)
    return calendar(language).numerals(line)


def _days(line: str, words: Signs, language: str) -> str:
    """Short names of days in a range: Mon-Fri."""
    days = cldr.weekdays(language)
    if not days or not words.to:
        return line
    short = "|".join(map(re.escape, sorted(days, key=len, reverse=True)))
    return re.sub(
        rf"(?<!\w)({short})\.?\s?[-–]\s?({short})\b\.?",
        lambda m: f"{days[m[1]]} {words.to} {days[m[2]]}",
        line,
    )


def _letters(found: re.Match[str]) -> str:
    """Letters without their full stops; the last one stays where the sentence ends."""
    after = found.string[found.end() :]
    return " ".join(found[0].replace(".", "")) + ("." if not after.strip() else "")


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


def _located(host: str, path: str, words: Signs) -> str:
    """An address or a file name without a scheme."""
    if not words.dot:
        return host + path
    slashed = path.replace("/", f" {words.slash} ") if words.slash else path
    return _dotted(host, words) + slashed.replace(".", f" {words.dot} ")


@lru_cache(maxsize=16)
def _short_forms(language: str) -> ShortForms:
    """What one language says for abbreviations and units, in the order of replacement."""
    data = language_data(language)
    signs, starting = data.signs, data.sentences.subjects | data.sentences.interrogatives
    return (
        *(_abbreviated(written, said) for written, said in signs.abbreviations.items()),
        *(
            pair
            for written, said in signs.closing_abbreviations.items()
            for pair in _closing(written, said)
        ),
        *(_exactly(written, said) for written, said in signs.exact_abbreviations.items()),
        *(
            pair
            for written, said in signs.after_names.items()
            for pair in _behind_name(written, said, starting)
        ),
        *(_before(written, said, r"\d") for written, said in signs.number_abbreviations.items()),
        *(_before(written, said, "[A-ZÀ-Þ]") for written, said in signs.name_abbreviations.items()),
        *(
            (re.compile(sign), f"{said} ")
            for sign, said in (
                (r"(?<!\w)#(?=\d)", signs.number),
                (r"(?<![\w)]\s)(?<!\w)[~≈]\s?(?=[$€£]?\d)|~\s?(?=\d)", signs.about),
                (r"§§?\s?(?=\d)", signs.section),
            )
            if said
        ),
    )


def _before(written: str, said: str, follows: str) -> tuple[re.Pattern[str], str]:
    """An abbreviation that counts only before something; with "-" in front, in a longer word."""
    start = r"(?<=\w)" if written.startswith("-") else r"(?<![\w.])"
    short = re.escape(written.removeprefix("-"))
    return re.compile(rf"{start}{short}\s?(?={follows})"), f"{said} "


def _behind_name(written: str, said: str, starting: frozenset[str]) -> ShortForms:
    """Behind a name; the full stop stays where the sentence ends."""
    word = rf"(?<=[a-zß-ÿ]\s){re.escape(written.rstrip('.'))}"
    starts = "|".join(word.capitalize() for word in sorted(starting))
    return (
        (re.compile(rf"(?<=[a-zß-ÿ],\s){re.escape(written.rstrip('.'))}\.(?=\s[^A-Z])"), said),
        (re.compile(rf"{word}\.(?=\s*$|\s+(?:{starts})\b)"), f"{said}."),
        (re.compile(rf"{word}\.(?=[,;:]|\s+[^\W\dA-ZÀ-Þ])"), said),
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
