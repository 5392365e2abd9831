"""What is said into somebody's speech: to show that one listens, or to make them stop.

By language (`languages/`), as whole utterances; marks, capitals and repetitions do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from edgevoice.languages import language_data
from edgevoice.languages.schema import Words
from edgevoice.words import words

_VOCAL = re.compile(
    r"m+h*m+|h+m+|m+|h+|u+h+(?:hu+h+)?|u+h*m+|e+h*m+|e+r+|hu+h|a+h+a*|o+h+|e+h+|u+g+h+|ou+ch|oo+f|pf+|a*hem|a*choo|o+w"
    r"|(?:m*[hk][aeiou]+h?){2,}|ha+h?|wo+w|te?hee|ok|okay|okey|mkay|kay"
)
"""Sounds of no language: humming, laughing, coughing, as a recognizer spells them."""


def is_backchannel(text: str, language: str = "en") -> bool:
    """Whether `text` only shows that somebody listens, laughs or clears their throat."""
    said = words(text)
    listening = language_data(language).backchannels.listening
    return bool(said) and _made_of(said, _split(listening), ())


def is_stop(text: str, language: str = "en") -> bool:
    """Whether `text` asks for silence, and for nothing else."""
    said = words(text)
    data = language_data(language)
    stopping, lexicon = _split(data.backchannels.stopping), data.sentences
    around = lexicon.leading | lexicon.connectives | lexicon.fillers | lexicon.polite
    loose = {word for phrase in around for word in words(phrase)}
    return any(_made_of(said[n:], stopping, loose) for n in _starts(said, stopping, loose))


def telling(text: str, language: str = "en") -> int:
    """How many words there are in `text` that are no part of any backchannel."""
    data = language_data(language)
    listening = {word for phrase in _split(data.backchannels.listening) for word in phrase}
    lexicon = data.sentences
    idle = listening | lexicon.fillers | lexicon.leading | lexicon.connectives
    return sum(word not in idle and not _VOCAL.fullmatch(word) for word in words(text))


@lru_cache(maxsize=256)
def _split(phrases: Words) -> frozenset[tuple[str, ...]]:
    """Phrases as the words they are compared by."""
    return frozenset(tuple(words(phrase)) for phrase in phrases)


def _starts(
    said: list[str], phrases: Collection[tuple[str, ...]], loose: Collection[str]
) -> list[int]:
    """Where a phrase begins behind nothing but loose words."""
    starts = []
    for n in range(len(said)):
        if any(tuple(said[n : n + len(phrase)]) == phrase for phrase in phrases):
            starts.append(n)
        if said[n] not in loose and not _VOCAL.fullmatch(said[n]):
            break
    return starts


def _made_of(said: list[str], phrases: Collection[tuple[str, ...]], loose: Collection[str]) -> bool:
    """Whether phrases, loose words and sounds of no language are all there is."""
    reached = {0}
    for n in range(len(said)):
        if n not in reached:
            continue
        if said[n] in loose or _VOCAL.fullmatch(said[n]):
            reached.add(n + 1)
        reached.update(
            n + len(phrase) for phrase in phrases if tuple(said[n : n + len(phrase)]) == phrase
        )
    return len(said) in reached
