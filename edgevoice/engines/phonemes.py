"""Phonemes of words from espeak-ng, which comes with Piper."""

from __future__ import annotations

import logging
import re
import unicodedata
from functools import lru_cache
from typing import Any

from piper import PiperVoice
from piper.config import PhonemeType, PiperConfig

from edgevoice.words import IDEOGRAPHS

_log = logging.getLogger(__name__)

CACHED_WORDS = 4096
"""Words whose phonemes are cached."""

_SPOKEN = re.compile(r"\w|[%&°+=×€$£]")
"""Characters that are spoken, unlike punctuation."""

_IDEOGRAPH = re.compile(f"[{IDEOGRAPHS}]")
"""In every language espeak-ng reads each as "Chinese letter"."""


@lru_cache(CACHED_WORDS)
def pronounced(word: str, language: str) -> tuple[str, ...]:
    """The phonemes of each spoken word in `word`, without stress and length.

    "21" has two words; "2", "two" and "to" are equal. Empty for punctuation, for ideographs, and in
    languages that espeak-ng does not have.
    """
    if not language or not _SPOKEN.search(word) or _IDEOGRAPH.search(word):
        return ()
    try:
        sentences = _espeak(language).phonemize(word)
    except Exception:  # espeak-ng raises several kinds for an unknown language
        _log.debug("no phonemes for a word in %r", language, exc_info=True)
        return ()
    spoken = "".join(symbol for phonemes in sentences for symbol in [*phonemes, " "])
    return tuple("".join(filter(_is_sound, spoken)).split())


def sentences(text: str, language: str) -> list[list[str]]:
    """The phonemes of each sentence of `text`, with stress, punctuation and spaces.

    `language` is a voice of espeak-ng, for example "en-us". Raises what espeak-ng raises.
    """
    return _espeak(language).phonemize(text)


@lru_cache
def _espeak(language: str) -> PiperVoice:
    """A Piper voice without a model, used for its lock around espeak-ng."""
    nothing: Any = None
    config = PiperConfig(
        num_symbols=0,
        num_speakers=1,
        sample_rate=1,
        espeak_voice=language,
        phoneme_id_map={},
        phoneme_type=PhonemeType.ESPEAK,
    )
    return PiperVoice(session=nothing, config=config)


def _is_sound(symbol: str) -> bool:
    """Whether `symbol` is part of a phoneme, or separates two words."""
    # Stress and length are separate symbols, and vary with the context.
    return symbol.isspace() or unicodedata.category(symbol) in ("Ll", "Lo", "Lu")
