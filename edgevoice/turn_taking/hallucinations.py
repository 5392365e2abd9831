"""Detects Whisper's hallucinations: text that it makes up for silence, noise and music.

It often makes up phrases that end videos. Such a phrase is rejected only with a second sign of
doubt: a user who clearly says "thank you" is answered. Whisper is seldom certain of a single word,
for example "okay"; there, voice that is as long as a word is enough.
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
"""Most characters a second of voice, and an allowance. Hasty speech has 35."""
LEAST_VOICED_SECONDS = 0.25
"""Seconds of voice below which a stock phrase is rejected."""
WORD_VOICED = 0.8
"""Longest voiced time of one word, in seconds. Noise that Whisper takes for a word is longer."""
MUCH_VOICED = 0.5
"""Seconds of voice, by the speech detector, that outweigh a high no-speech probability."""
DOUBTFUL_NO_SPEECH = 0.3
DOUBTFUL_LOGPROB = -0.6
HOPELESS = 0.5
"""How far below the least log-probability a transcript is rejected without a second sign."""


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
    """Why this transcript is no speech of the user, or None if it is.

    `seconds` is the length of the clip, `voiced_seconds` its voiced time by the speech detector (0
    if unknown).
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
            return "probably no speech"
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
        or 0 < voiced_seconds < LEAST_VOICED_SECONDS
    ):
        likely = (
            transcript.no_speech <= settings.no_speech
            and transcript.logprob >= settings.min_logprob
        )
        one_word = phrase in _ANSWERS and LEAST_VOICED_SECONDS <= voiced_seconds <= WORD_VOICED
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
