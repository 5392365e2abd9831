"""How words are said, as espeak-ng, which comes with Piper, has it for most languages."""

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

KNOWN = 4096
"""Words whose sound is remembered."""

_SOUNDING = re.compile(r"\w|[%&°+=×€$£]")
"""What a word has that is not only punctuation."""

_IDEOGRAPH = re.compile(f"[{IDEOGRAPHS}]")
"""Whatever the language, espeak-ng says "Chinese letter" for each."""


@lru_cache(KNOWN)
def pronounced(word: str, language: str) -> tuple[str, ...]:
    """The phonemes of each word that is heard in `word`, without stress and length.

    "21" has two; "2", "two" and "to" are alike. None for punctuation and ideographs, and in a
    language that espeak-ng does not have.
    """
    if not language or not _SOUNDING.search(word) or _IDEOGRAPH.search(word):
        return ()
    try:
        sentences = _espeak(language).phonemize(word)
    except Exception:  # espeak-ng raises what it likes for a language that it does not know
        _log.debug("no sound for a word in %r", language, exc_info=True)
        return ()
    said = "".join(sign for phonemes in sentences for sign in [*phonemes, " "])
    return tuple("".join(filter(_is_sound, said)).split())


@lru_cache
def _espeak(language: str) -> PiperVoice:
    """Piper's own way to espeak-ng, which only one thread at a time goes."""
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


def _is_sound(sign: str) -> bool:
    """Whether it is part of a phoneme, or parts two words."""
    # Stress and length are signs of their own, and weaker in some surroundings.
    return sign.isspace() or unicodedata.category(sign) in ("Ll", "Lo", "Lu")
