"""What Whisper writes when nobody spoke.

On near-silence, noise and music it falls back on what ended the videos it learned from. Such a
phrase is taken for nobody only with another sign of doubt: a user who clearly says "thank you" is
answered. Of one word, such as "okay", Whisper is seldom sure: voice as long as a word will do.
"""

from __future__ import annotations

import re

from edgevoice.languages import all_words
from edgevoice.languages.schema import Words
from edgevoice.protocols import Transcript
from edgevoice.settings import SttSettings
from edgevoice.words import words

MOST_COMPRESSION = 2.4
"""Above this the text repeats itself; Whisper's own limit."""
MOST_CHARACTERS, MOST_AT_ONCE = 60.0, 15
"""Characters a second of voice, and how many more, that nobody can say. Hasty speech has 35."""
LEAST_VOICED = 0.25
"""Seconds of voice under which a stock phrase is not believed."""
WORD_VOICED = 0.8
"""Seconds of voice that one word has at most. Noise for which Whisper makes one up is longer."""
MUCH_VOICED = 0.5
"""Seconds of voice, heard by the speech detector, that outweigh a suspicion of silence."""
DOUBTFUL_NO_SPEECH = 0.3
DOUBTFUL_LOGPROB = -0.6
HOPELESS = 0.5
"""How far under the least log-probability a transcript needs no second sign of doubt."""


def _any_of(texts: Words) -> str:
    """A pattern for any of these texts."""
    return f"(?:{'|'.join(map(re.escape, sorted(texts)))})"


_PHRASES = all_words(lambda each: each.hallucinations.phrases)
_ANSWERS = all_words(lambda each: each.hallucinations.answers)
"""Those of them that are a whole turn where somebody answers or takes their leave."""
_CREDITS = re.compile(
    _any_of(all_words(lambda each: each.hallucinations.credits))
    + "|^"
    + _any_of(all_words(lambda each: each.hallucinations.credit_starts)),
    re.IGNORECASE,
)
_SIGN_OFF = re.compile(
    rf"\b{_any_of(all_words(lambda each: each.hallucinations.sign_offs))}\b", re.IGNORECASE
)
"""What nobody says to an assistant, whatever comes with it."""
_DESCRIPTION = re.compile(r"\s*(?:[\[(*♪♫♬][^\])*♪♫♬]*(?:[\])*♪♫♬]|$)[\s.,!]*)+")


def is_nobody(
    transcript: Transcript, seconds: float, voiced_seconds: float, settings: SttSettings
) -> str | None:
    """Why this transcript is nobody's question, or None if it is somebody's.

    `seconds` is the length of the clip, `voiced_seconds` how much of it the speech detector took
    for voice (0 where that is not known).
    """
    text = transcript.text.strip()
    if not text:
        return "nothing was recognized"
    if not any(char.isalnum() for char in text):
        return "only punctuation was recognized"
    if _DESCRIPTION.fullmatch(text):
        return "a sound, not words"
    if transcript.compression > MOST_COMPRESSION or _repeats(text):
        return "the text repeats itself"
    if transcript.logprob < settings.min_logprob:
        if transcript.no_speech > settings.no_speech:
            return "probably nobody spoke"
        # A single rare word, clearly said, is uncertain too: it takes a second sign.
        hopeless = transcript.logprob < settings.min_logprob - HOPELESS
        doubted = transcript.no_speech > DOUBTFUL_NO_SPEECH and voiced_seconds < MUCH_VOICED
        if hopeless or doubted:
            return "too uncertain to be answered"
    if _CREDITS.search(text):
        return "a phrase Whisper makes up for silence"
    phrase = " ".join(words(text))
    if (phrase in _PHRASES or _SIGN_OFF.search(text)) and (
        transcript.no_speech > DOUBTFUL_NO_SPEECH
        or transcript.logprob < DOUBTFUL_LOGPROB
        or 0 < voiced_seconds < LEAST_VOICED
    ):
        likely = (
            transcript.no_speech <= settings.no_speech
            and transcript.logprob >= settings.min_logprob
        )
        one_word = phrase in _ANSWERS and LEAST_VOICED <= voiced_seconds <= WORD_VOICED
        if not (likely and one_word):
            return "a phrase Whisper makes up for silence"
    if len(text) > MOST_AT_ONCE + MOST_CHARACTERS * (voiced_seconds or seconds):
        return "more words than the sound can hold"
    return None


def _repeats(text: str) -> bool:
    """Whether the text is one word or short phrase four times or more, and nothing else."""
    said = words(text)
    return any(
        len(said) >= 4 * size and said == (said[:size] * len(said))[: len(said)]
        for size in range(1, 5)
    )
