"""Matches an utterance, all of it, against the templates of a language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from edgevoice.skills.figures import MOST, FigureFinder, FoundFigures
from edgevoice.skills.sentence_files import SentenceFile, Skipped
from edgevoice.skills.templates import FREE, Template, TemplateCompiler

LONGEST = 40
"""Most words of an utterance that is matched."""


@dataclass(frozen=True, slots=True)
class Match:
    """A template that covers the whole utterance: its intent, and its slots as they were said."""

    intent: str
    slots: Mapping[str, str]
    figures: FoundFigures


@dataclass(frozen=True, slots=True)
class _Intent:
    name: str
    template: Template
    fixed: Mapping[str, str]


class Matcher:
    """The templates of one language. Calls from several threads are fine."""

    def __init__(self, language: str, file: SentenceFile) -> None:
        self._finder = FigureFinder(language, file.numbers)
        self._skip = _Skipping(file.skip)
        self._compounds = re.compile(rf"\b(\w{{3,}}?)({'|'.join(file.compounds) or '(?!)'})\b")
        self._values = {
            name: {phrase: value for value, said in values.items() for phrase in said}
            for name, values in file.lists.items()
        }
        compiler = TemplateCompiler(self._values, file.rules, file.not_names)
        self._intents = [
            _Intent(name, compiler.template(text), fixed)
            for name, sentences in file.intents.items()
            for text, fixed in map(_parts, sentences)
        ]

    def load(self) -> None:
        """Compile all templates; else each is at its first use. Raises TemplateError."""
        for intent in self._intents:
            _ = intent.template.compiled

    def match(self, text: str) -> Match | None:
        """The intent of an utterance; None if no template covers it."""
        if len(text.split()) > LONGEST:
            return None
        figures = self._finder.find(text)
        if max(map(len, (figures.numbers, figures.ordinals, figures.clocks))) > MOST:
            return None
        whole = self._compounds.sub(r"\1 \2", figures.text)
        best, least = None, LONGEST
        for words in dict.fromkeys((whole, self._skip.without(whole))):
            said = set(words.split())
            for intent in self._intents:
                if not intent.template.required <= said:
                    continue
                slots = intent.template.match(words + " ")
                if slots is None:
                    continue
                free = sum(len(said.split()) for name, said in slots.values() if name in FREE)
                if free < least:
                    best, least = (intent, slots), free
        if best is None:
            return None
        intent, slots = best
        values = {slot: self._value(*said, figures) for slot, said in slots.items()}
        return Match(intent.name, {**values, **intent.fixed}, figures)

    def _value(self, name: str, said: str, figures: FoundFigures) -> str:
        if name in self._values:
            return self._values[name][said]
        return figures.restored(said) if name in FREE else said


def _parts(sentence: str | Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    if isinstance(sentence, str):
        return sentence, {}
    return sentence["text"], {name: value for name, value in sentence.items() if name != "text"}


class _Skipping:
    """Leaves out the words that change nothing."""

    def __init__(self, skip: Skipped) -> None:
        self._first = _any(skip.first, r"^(?:{})(?: |$)")
        self._last = _any(skip.last, r"(?:^| )(?:{})$")
        self._anywhere = _any(skip.anywhere, r"(?:^| )(?:{})(?= |$)")

    def without(self, text: str) -> str:
        """The rest; the text itself if there is none."""
        rest = self._anywhere.sub("", text).strip()
        while (shorter := self._last.sub("", self._first.sub("", rest)).strip()) != rest:
            if not shorter:
                break
            rest = shorter
        return rest or text


def _any(phrases: Iterable[str], pattern: str) -> re.Pattern[str]:
    names = sorted(phrases, key=len, reverse=True)
    return re.compile(pattern.format("|".join(map(re.escape, names)) or "(?!)"))
