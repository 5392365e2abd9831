"""Which languages are spoken here, and which of them is spoken now.

A recognizer tells languages apart surely once it has heard a second or so; a single word it often
takes for English, whatever it was. So what is short is taken for the language of what was said
before, and what is longer must be clearly another one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from edgevoice.errors import ConfigError
from edgevoice.languages import codes, language_data

AUTO = "auto"
"""In the configuration, in place of codes: whatever can be answered."""

LEAST_SECONDS = 1.2
"""Speech that tells its language. Of 588 beginnings of recordings and synthesized sentences that
were this long or longer, none was taken for another language with more than 0.8 of certainty,
among two languages or among seven; of 387 shorter ones 13 were, a "sim" (yes) for English with
0.98."""
LOYALTY = 4.0
"""How much likelier the language of the last turn is than each of the others, before anything is
heard: another one is followed from a certainty of 0.8 on."""
SETTLED_SECONDS = 2.0
SETTLED = 0.9
"""Speech and certainty with which the language of an utterance is settled, and costs nothing any
more."""


_CODES = """\
af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr
ht hu hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc
pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue
zh"""
CODES = tuple(_CODES.split())
"""The languages that Whisper knows."""


def named(code: str) -> str:
    """What a language is called: its name, or the code where that is not known."""
    return language_data(code).name or code


def listed(setting: str) -> tuple[str, ...]:
    """The codes that `stt.language` names, the main one first; none for `auto`.

    Raises ConfigError where it names nothing, or what no recognizer knows.
    """
    if setting.strip().lower() == AUTO:
        return ()
    codes = tuple(dict.fromkeys(filter(None, re.split(r"[\s,;+]+", setting.lower()))))
    if not codes:
        raise ConfigError(
            "stt.language names no language", remedy="a code such as en, several (en,de), or auto"
        )
    if unknown := [code for code in codes if code not in CODES]:
        raise ConfigError(
            f"stt.language is {setting}, and no recognizer knows {', '.join(unknown)}",
            remedy=_meant(unknown[0]) or f"auto, or of: {', '.join(CODES)}",
        )
    return codes


def check_known(name: str, known: Sequence[str], setting: str) -> None:
    """Raise ConfigError where the recognizer `name` lacks a language that `setting` names; `known`
    are its languages, none or `multilingual` where it does not say."""
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
    """Which code was meant by a name ("german") or a code with a region ("de-at"), if any was."""
    named = (code for code in codes() if language_data(code).name.lower() == text)
    code = next(named, re.split(r"[-_]", text)[0])
    return f"did you mean {code}?" if code in CODES else ""


def leads(languages: Sequence[str]) -> Mapping[str, str]:
    """What the language model reads in front of what is said in each of these languages.

    A small model follows the system prompt's language rather than the question's. In front of the
    question it is read while that is being said, and costs nothing after the last word. Where
    English alone is spoken nothing has to be said.
    """
    if set(languages) <= {"en"}:
        return {}
    return {
        code: language_data(code).answer_in or f"Answer in {named(code)}." for code in languages
    }


class LanguageTracker:
    """Follows the language of whoever speaks, from turn to turn; the first one is the main one."""

    def __init__(self, languages: Sequence[str]) -> None:
        self.languages = tuple(languages)
        self.last = self.languages[0]
        """What was spoken last."""

    def weights(self, seconds: float) -> Mapping[str, float]:
        """How likely each language is, for `seconds` of speech, before it is listened to."""
        if len(self.languages) == 1 or seconds < LEAST_SECONDS:
            return {self.last: 1.0}
        return {code: LOYALTY if code == self.last else 1.0 for code in self.languages}

    def spoke(self, language: str) -> None:
        """A turn was in this language."""
        if language in self.languages:
            self.last = language


def is_settled(certainty: float, seconds: float) -> bool:
    """Whether the language of `seconds` of speech, known with this certainty, will stay."""
    return seconds >= SETTLED_SECONDS and certainty >= SETTLED
