"""The completeness of a transcript: whether the user is likely to go on.

Decided from the text alone: a question expects its answer now, a sentence may be followed by
another, a conjunction is always followed by more. English has the most rules; other languages use
punctuation and short word lists. Without a rule, the more cautious class applies.
"""

from __future__ import annotations

import re
from enum import IntEnum

from edgevoice.languages import all_words, language_data
from edgevoice.languages.schema import SentenceWords
from edgevoice.words import WIDE

_END = re.compile(r"(?<=[.!?؟。！？])[\"'”’»)\]]*\s+|(?<=[。！？])")
_WORD = re.compile(r"\w+(?:['’.:\-]\w+)*")
_WIDE = re.compile(f"[{WIDE}]")
_CLOSERS = "\"'”’»)]」』 "
_QUESTION_MARKS = "?？؟"
_TRAILS_OFF = ("...", "…", "-", "–", "—", ",", "，", "、", ":", "：", ";")
_ENDS = ".!?؟。！？।"
# The script tells that it is written without spaces, not which language it is.
_WIDE_ASKING = tuple(all_words(lambda each: each.sentences.asking_endings))
_WIDE_DANGLING = tuple(all_words(lambda each: each.sentences.dangling_endings))


class Completeness(IntEnum):
    """Classes of text by how likely more follows, least likely first."""

    QUESTION = 0
    """A whole question."""
    COMMAND = 1
    """A whole command or wish: "with milk" or "for ten minutes" may still follow."""
    STATEMENT = 2
    """A whole sentence that requests nothing: another may follow."""
    FRAGMENT = 3
    """Undecided: a fragment, one word, no punctuation, a number."""
    INCOMPLETE = 4
    """It cannot end here: a conjunction, an article, a filler, a comma, digits being dictated."""


def completeness_of(text: str, language: str = "en") -> Completeness:
    """The completeness of the text so far; `language` is a code, for example `en`."""
    lexicon = language_data(language).sentences
    bare = _last_sentence(text, lexicon).rstrip(_CLOSERS)
    if not bare:
        return Completeness.FRAGMENT
    if bare.endswith(_TRAILS_OFF):
        return Completeness.INCOMPLETE
    if len(_WIDE.findall(bare)) * 2 > len(bare):
        return _wide(bare)
    spoken = [word.lower().replace("’", "'") for word in _WORD.findall(bare)]
    words = _without_leading(spoken, lexicon)
    if _dangles(spoken, lexicon) or " ".join(words or spoken) in lexicon.thinking:
        return Completeness.INCOMPLETE
    asks = bare[-1] in _QUESTION_MARKS
    completeness = _of_words(words or spoken, asks, lexicon)
    begun = spoken[: len(spoken) - len(words)]
    if (
        completeness is Completeness.COMMAND
        and not asks
        and lexicon.connectives.intersection(begun)
    ):
        # "And take it with you" is part of a story as often as a command.
        completeness = Completeness.STATEMENT
    numeric = [word[0].isdigit() or word in lexicon.numbers for word in spoken]
    if numeric[-1] and not asks and 2 * sum(numeric) > len(spoken):
        return Completeness.INCOMPLETE
    # A recognizer ends a finished sentence with a mark, except for many short commands.
    unmarked = bare[-1] not in _ENDS and completeness is not Completeness.COMMAND
    unsure = unmarked or (numeric[-1] and not asks)
    return Completeness(min(completeness + unsure, max(completeness, Completeness.FRAGMENT)))


def _of_words(words: list[str], asks: bool, lexicon: SentenceWords) -> Completeness:
    """The completeness of a sentence that does not end in an incomplete way."""
    if " ".join(words) in lexicon.short_commands:
        return Completeness.COMMAND
    if len(words) == 1:
        return Completeness.STATEMENT if asks else Completeness.FRAGMENT
    last = words[-1]
    if last in lexicon.prepositions:
        if last in lexicon.particles and words[0] in lexicon.particle_verbs:
            return Completeness.COMMAND
        if asks and words[0] in lexicon.interrogatives and lexicon.subjects.intersection(words):
            # "What is it famous for?" is whole, "What is the capital of?" is not.
            return Completeness.COMMAND
        return (
            Completeness.STATEMENT if asks or last in lexicon.particles else Completeness.INCOMPLETE
        )
    given = words[:-1] if last in lexicon.interrogatives else words
    if len(given) > 1 and given[-1] in lexicon.receivers and given[-2] in lexicon.giving:
        # "Tell me", "Can you remind him?", "Can you tell me who?": the object is missing.
        return Completeness.FRAGMENT
    if _wishes(words, lexicon):
        return Completeness.COMMAND
    if asks or _is_question(words, lexicon):
        return Completeness.QUESTION
    if (
        words[0] in lexicon.commands and words[1] not in lexicon.auxiliaries
    ) or last in lexicon.polite:
        return Completeness.COMMAND
    if words[0] in lexicon.subordinators:
        return Completeness.FRAGMENT
    return Completeness.STATEMENT if len(words) > 2 else Completeness.FRAGMENT


def _is_question(words: list[str], lexicon: SentenceWords) -> bool:
    """Whether the words begin as a question does, though no mark says so.

    A recognizer also puts full stops into long sentences: "has got too much of it" and "which is
    strange" are the ends of such sentences far more often than questions.
    """
    first, second = words[0], words[1]
    if first in lexicon.relatives and second in lexicon.auxiliaries:
        return False
    if first in lexicon.interrogatives:
        if first in lexicon.subordinators:
            return second in lexicon.auxiliaries and len(words) > 2
        verbs = lexicon.auxiliaries.intersection(words[1:4])
        return bool(verbs) or "'" in first or second in lexicon.degrees
    return first in lexicon.auxiliaries and second in lexicon.subjects and len(words) > 2


def _wishes(words: list[str], lexicon: SentenceWords) -> bool:
    """Whether the words are a wish for something that they name."""
    phrase = " ".join(words)
    return any(phrase.startswith(f"{wish} ") for wish in lexicon.wishes)


def _dangles(words: list[str], lexicon: SentenceWords) -> bool:
    """Whether the last word cannot end a sentence."""
    if words[-1] in lexicon.fillers or words[-1] in lexicon.dangling:
        return True
    # "What is", "how do": the question has only begun.
    begun = len(words) == 2 and words[0] in lexicon.interrogatives
    return begun and words[1] in lexicon.auxiliaries


def _without_leading(words: list[str], lexicon: SentenceWords) -> list[str]:
    """The words without introductory ones: "um", "okay", "and", "please"."""
    leading = lexicon.leading | lexicon.connectives | lexicon.fillers
    start = next((n for n, word in enumerate(words) if word not in leading), len(words))
    return words[start:]


def _last_sentence(text: str, lexicon: SentenceWords) -> str:
    """The last sentence with words, without a separate "please" or "thanks" at the end."""
    sentences = [s for s in _END.split(text.strip()) if any(char.isalnum() for char in s)]
    if not sentences:
        return ""
    if len(sentences) > 1 and sentences[-1].strip(_ENDS + _CLOSERS).lower() in lexicon.polite:
        return sentences[-2]
    return sentences[-1]


def _wide(bare: str) -> Completeness:
    """The completeness of Japanese and Chinese, by the last signs."""
    core = bare.rstrip(_ENDS)
    if bare[-1] in _QUESTION_MARKS:
        return Completeness.QUESTION if len(core) > 2 else Completeness.STATEMENT
    if core.endswith(_WIDE_ASKING):
        return Completeness.COMMAND
    if core.endswith(_WIDE_DANGLING):
        return Completeness.INCOMPLETE
    return Completeness.STATEMENT if bare[-1] in _ENDS and len(core) > 3 else Completeness.FRAGMENT
