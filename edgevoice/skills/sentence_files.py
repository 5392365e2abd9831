"""The sentence files, `sentences/de.toml`: all that is understood in a language, and answered.

A template is in the syntax of hassil: `[optional]`, `(one|another)`, `{list:slot}`, `<rule>`. The
lists `{n}` (any number), `{o}` (an ordinal), `{clock}` (7:30), `{text}` and `{name}` (free words)
are always there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from msgspec import Struct, field

from edgevoice.outside import converted, from_toml
from edgevoice.skills.figures import NumberWords

SkillSentences = tuple[str | dict[str, str], ...]
"""Templates; one that is a table has its template in `text`, and sets the other slots."""

_FOLDER = files(__name__.rpartition(".")[0]) / "sentences"


class Skipped(Struct, frozen=True, forbid_unknown_fields=True):
    """Words that change nothing: at the beginning, at the end, or anywhere."""

    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    anywhere: tuple[str, ...] = ()


class SentenceFile(Struct, frozen=True, forbid_unknown_fields=True):
    """What is understood in one language, and how it is answered."""

    compounds: tuple[str, ...] = ()
    """Words that are written together with a name before them: "Nudeltimer"."""
    not_names: tuple[str, ...] = ()
    """Words that no name of a timer has."""
    skip: Skipped = Skipped()
    numbers: NumberWords | None = None
    """Without it, the number words are CLDR's, up to a hundred."""
    lists: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """By list and value: the phrases that stand for the value."""
    rules: Mapping[str, str] = field(default_factory=dict)
    intents: Mapping[str, SkillSentences] = field(default_factory=dict)
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By the outcome: answers that vary. An intent without an answer is not understood."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Other words that answers are made of."""


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """The codes of the languages with a sentence file."""
    names = (file.name for file in _FOLDER.iterdir())
    return tuple(sorted(name[: -len(".toml")] for name in names if name.endswith(".toml")))


@lru_cache(maxsize=64)
def sentence_file(language: str) -> SentenceFile:
    """The sentence file of a language; empty if there is none. Raises Malformed if it is wrong."""
    if language not in languages():
        return SentenceFile()
    data: dict[str, Any] = from_toml((_FOLDER / f"{language}.toml").read_bytes())
    return converted(data, SentenceFile)
