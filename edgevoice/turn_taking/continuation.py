"""Detects a request to continue the last reply."""

from __future__ import annotations

from edgevoice.languages import every, language_data
from edgevoice.languages.schema import SentenceWords
from edgevoice.words import words


def wants_more(text: str, language: str = "") -> bool:
    """Whether the words, except for polite ones, are a request to continue.

    `language` is a code, for example `en`; if it is unknown, every language is tried.
    """
    own = language_data(language)
    said = words(text)
    meant = [own] if own.sentences.going_on else every()
    return any(_is_wish(said, each.sentences) for each in meant)


def _is_wish(said: list[str], lexicon: SentenceWords) -> bool:
    wishes = {tuple(words(phrase)) for phrase in lexicon.going_on}
    polite = [words(phrase) for phrase in lexicon.polite]
    before = lexicon.leading | lexicon.connectives | lexicon.fillers
    while said:
        if tuple(said) in wishes:
            return True
        ending = next((p for p in polite if said[-len(p) :] == p), None)
        if said[0] in before:
            said = said[1:]
        elif ending:
            said = said[: -len(ending)]
        else:
            return False
    return False
