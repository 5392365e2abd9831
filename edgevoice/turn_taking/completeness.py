"""The form of a transcript: whether somebody who has said this is likely to go on.

Decided from the words alone, as a listener would who reads along: a question wants its answer now,
a sentence may be followed by another, a conjunction is always followed by more. English is known
best; other languages by their punctuation and short lists of words. Where no rule speaks, the form
is the more cautious one.
"""

from __future__ import annotations

import re
from enum import IntEnum

from edgevoice.turn_taking.lexicon import NONE_KNOWN, TONGUES, WIDE_ASKING, WIDE_DANGLING, Lexicon
from edgevoice.words import WIDE

_END = re.compile(r"(?<=[.!?؟。！？])[\"'”’»)\]]*\s+|(?<=[。！？])")
_WORD = re.compile(r"\w+(?:['’.:\-]\w+)*")
_WIDE = re.compile(f"[{WIDE}]")
_CLOSERS = "\"'”’»)]」』 "
_QUESTION_MARKS = "?？؟"
_TRAILS_OFF = ("...", "…", "-", "–", "—", ",", "，", "、", ":", "：", ";")
_ENDS = ".!?؟。！？।"


class Completeness(IntEnum):
    """How likely more is to follow, least first."""

    ASKED = 0
    """A whole question: it waits for its answer."""
    TOLD = 1
    """A whole command or wish: "with milk" or "for ten minutes" may still follow."""
    SAID = 2
    """A whole sentence that asks for nothing: it may be followed by the next."""
    OPEN = 3
    """Nothing tells: a fragment, one word, no punctuation, a number."""
    HANGING = 4
    """It cannot end here: a conjunction, an article, a filler, a comma, digits being dictated."""


def form_of(text: str, language: str = "en") -> Completeness:
    """The form of what has been said so far; `language` is a code such as `en`."""
    tongue = TONGUES.get(language, NONE_KNOWN)
    bare = _last_sentence(text, tongue).rstrip(_CLOSERS)
    if not bare:
        return Completeness.OPEN
    if bare.endswith(_TRAILS_OFF):
        return Completeness.HANGING
    if len(_WIDE.findall(bare)) * 2 > len(bare):
        return _wide(bare)
    spoken = [word.lower().replace("’", "'") for word in _WORD.findall(bare)]
    words = _without_leading(spoken, tongue)
    if _dangles(spoken, tongue) or " ".join(words or spoken) in tongue.thinking:
        return Completeness.HANGING
    asks = bare[-1] in _QUESTION_MARKS
    form = _of_words(words or spoken, asks, tongue)
    begun = spoken[: len(spoken) - len(words)]
    if form is Completeness.TOLD and not asks and tongue.connectives.intersection(begun):
        # "And take it with you": told to somebody in a story as often as to an assistant.
        form = Completeness.SAID
    numeric = [word[0].isdigit() or word in tongue.numbers for word in spoken]
    if numeric[-1] and not asks and 2 * sum(numeric) > len(spoken):
        return Completeness.HANGING
    # A recognizer ends what sounds finished with a mark; only short commands it often leaves bare.
    unmarked = bare[-1] not in _ENDS and form is not Completeness.TOLD
    unsure = unmarked or (numeric[-1] and not asks)
    return Completeness(min(form + unsure, max(form, Completeness.OPEN)))


def _of_words(words: list[str], asks: bool, tongue: Lexicon) -> Completeness:
    """The form of a sentence that neither trails off nor ends in a word that cannot be last."""
    if " ".join(words) in tongue.short_commands:
        return Completeness.TOLD
    if len(words) == 1:
        return Completeness.SAID if asks else Completeness.OPEN
    last = words[-1]
    if last in tongue.prepositions:
        if last in tongue.particles and words[0] in tongue.particle_verbs:
            return Completeness.TOLD
        if asks and words[0] in tongue.interrogatives and tongue.subjects.intersection(words):
            # "What is it famous for?" is whole, "What is the capital of?" is not.
            return Completeness.TOLD
        return Completeness.SAID if asks or last in tongue.particles else Completeness.HANGING
    given = words[:-1] if last in tongue.interrogatives else words
    if len(given) > 1 and given[-1] in tongue.receivers and given[-2] in tongue.giving:
        # "Tell me", "Can you remind him?", "Can you tell me who?": the verb still wants what.
        return Completeness.OPEN
    if _wishes(words, tongue):
        return Completeness.TOLD
    if asks or _is_question(words, tongue):
        return Completeness.ASKED
    if (
        words[0] in tongue.commands and words[1] not in tongue.auxiliaries
    ) or last in tongue.polite:
        return Completeness.TOLD
    if words[0] in tongue.subordinators:
        return Completeness.OPEN
    return Completeness.SAID if len(words) > 2 else Completeness.OPEN


def _is_question(words: list[str], tongue: Lexicon) -> bool:
    """Whether the words begin as a question does, though no mark says so.

    A recognizer puts a full stop into the middle of a long sentence, too: "has got too much of it"
    and "which is strange" are the ends of such sentences far more often than questions.
    """
    first, second = words[0], words[1]
    if first in tongue.relatives and second in tongue.auxiliaries:
        return False
    if first in tongue.interrogatives:
        if first in tongue.subordinators:
            return second in tongue.auxiliaries and len(words) > 2
        verbs = tongue.auxiliaries.intersection(words[1:4])
        return bool(verbs) or "'" in first or second in tongue.degrees
    return first in tongue.auxiliaries and second in tongue.subjects and len(words) > 2


def _wishes(words: list[str], tongue: Lexicon) -> bool:
    """Whether the words begin as a wish for something does, and name it."""
    phrase = " ".join(words)
    return any(phrase.startswith(f"{wish} ") for wish in tongue.wishes)


def _dangles(words: list[str], tongue: Lexicon) -> bool:
    """Whether the last word is one that nobody ends on."""
    if words[-1] in tongue.fillers or words[-1] in tongue.dangling:
        return True
    # "What is", "how do": the question has only begun.
    begun = len(words) == 2 and words[0] in tongue.interrogatives
    return begun and words[1] in tongue.auxiliaries


def _without_leading(words: list[str], tongue: Lexicon) -> list[str]:
    """The words without what only leads up to the sentence: "um", "okay", "and", "please"."""
    leading = tongue.leading | tongue.connectives | tongue.fillers
    start = next((n for n, word in enumerate(words) if word not in leading), len(words))
    return words[start:]


def _last_sentence(text: str, tongue: Lexicon) -> str:
    """The last sentence with words in it, without a "please" or "thanks" that is set apart."""
    sentences = [s for s in _END.split(text.strip()) if any(char.isalnum() for char in s)]
    if not sentences:
        return ""
    if len(sentences) > 1 and sentences[-1].strip(_ENDS + _CLOSERS).lower() in tongue.polite:
        return sentences[-2]
    return sentences[-1]


def _wide(bare: str) -> Completeness:
    """Japanese and Chinese, written without spaces, by the last signs."""
    core = bare.rstrip(_ENDS)
    if bare[-1] in _QUESTION_MARKS:
        return Completeness.ASKED if len(core) > 2 else Completeness.SAID
    if core.endswith(WIDE_ASKING):
        return Completeness.TOLD
    if core.endswith(WIDE_DANGLING):
        return Completeness.HANGING
    return Completeness.SAID if bare[-1] in _ENDS and len(core) > 3 else Completeness.OPEN
