"""The configured languages, and the language of each turn.

A recognizer detects a language reliably from about a second of speech; it often takes a single
word for English. So a short utterance is in the language of the turn before, and a longer one must
clearly be in another language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from edgevoice.errors import ConfigError
from edgevoice.languages import codes, language_data

AUTO = "auto"
"""In the configuration, in place of codes: every language with an installed voice."""

LEAST_SECONDS = 1.2
"""Speech that tells its language. Of 588 beginnings of recordings and synthesized sentences that
were this long or longer, none was taken for another language with more than 0.8 of certainty,
among two languages or among seven; of 387 shorter ones 13 were, a "sim" (yes) for English with
0.98."""
LOYALTY = 4.0
"""Prior weight of the last turn's language against each of the others: another one is chosen from a
certainty of 0.8 on."""
SETTLED_LANGUAGE_SECONDS = 2.0
SETTLED_CERTAINTY = 0.9
"""Seconds of speech and certainty from which the language of an utterance is not detected again."""


_CODES = """\
af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr
ht hu hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc
pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue
zh"""
LANGUAGE_CODES = tuple(_CODES.split())
"""The languages that Whisper knows."""


def named(code: str) -> str:
    """The English name of a language, or its code if the name is unknown."""
    return language_data(code).name or code


def listed(setting: str) -> tuple[str, ...]:
    """The codes in `stt.language`, the main one first; empty for `auto`.

    Raises ConfigError if it is empty, or has an unknown code.
    """
    if setting.strip().lower() == AUTO:
        return ()
    codes = tuple(dict.fromkeys(filter(None, re.split(r"[\s,;+]+", setting.lower()))))
    if not codes:
        raise ConfigError(
            "stt.language names no language", remedy="a code such as en, several (en,de), or auto"
        )
    if unknown := [code for code in codes if code not in LANGUAGE_CODES]:
        raise ConfigError(
            f"stt.language is {setting}, and no recognizer knows {', '.join(unknown)}",
            remedy=_meant(unknown[0]) or f"auto, or of: {', '.join(LANGUAGE_CODES)}",
        )
    return codes


def check_known(name: str, known: Sequence[str], setting: str) -> None:
    """Raise ConfigError if the recognizer `name` lacks a language of `setting`; `known` are its
    languages, empty or `multilingual` if unspecified."""
    unknown = [code for code in listed(setting) if code not in known]
    if not unknown or not known or "multilingual" in known:
        return
    if len(known) == 1:
        raise ConfigError(
            f"{name} understands {named(known[0])} only, and stt.language is {setting}",
            remedy="choose a recognizer for it with --stt, whisper-base for one "
            f"(edgevoice models pull whisper-base), or --set stt.language={known[0]}",
        )
    raise ConfigError(
        f"stt.language is {setting}, and {name} does not know {', '.join(unknown)}",
        remedy=f"auto, or of: {', '.join(known)}",
    )


def _meant(text: str) -> str:
    """A hint for a name ("german") or a code with a region ("de-at"); empty if there is none."""
    named = (code for code in codes() if language_data(code).name.lower() == text)
    code = next(named, re.split(r"[-_]", text)[0])
    return f"did you mean {code}?" if code in LANGUAGE_CODES else ""


def leads(languages: Sequence[str]) -> Mapping[str, str]:
    """The instruction that the language model reads in front of a question, by language.

    A small model follows the language of the system prompt rather than of the question. In front of
    the question the instruction is prefilled during speech, and takes no time after the last word.
    Empty if English is the only language.
    """
    if set(languages) <= {"en"}:
        return {}
    return {
        code: language_data(code).answer_in or f"Answer in {named(code)}." for code in languages
    }


class LanguageTracker:
    """Follows the spoken language from turn to turn; the first of `languages` is the main one."""

    def __init__(self, languages: Sequence[str]) -> None:
        self.languages = tuple(languages)
        self.last = self.languages[0]
        """The language of the last turn."""

    def weights(self, seconds: float) -> Mapping[str, float]:
        """Prior weight of each language for `seconds` of speech."""
        if len(self.languages) == 1 or seconds < LEAST_SECONDS:
            return {self.last: 1.0}
        return {code: LOYALTY if code == self.last else 1.0 for code in self.languages}

    def spoke(self, language: str) -> None:
        """A turn was in this language."""
        if language in self.languages:
            self.last = language


def is_settled(certainty: float, seconds: float) -> bool:
    """Whether the language is settled, from `seconds` of speech and this certainty."""
    return seconds >= SETTLED_LANGUAGE_SECONDS and certainty >= SETTLED_CERTAINTY
