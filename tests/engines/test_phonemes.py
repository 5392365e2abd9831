"""How words are said, to be compared by their sound."""

from __future__ import annotations

import pytest

from edgevoice.engines.phonemes import pronounced


@pytest.mark.parametrize(
    ("language", "written", "heard"),
    [
        ("en", "2", "two"),
        ("en", "Eight.", "8"),
        ("en", "eight", "ate"),
        ("en", "+", "plus"),
        ("en", "Dr.", "doctor"),
        ("de", "2", "zwei"),
        ("fr", "8", "huit"),
        ("pt-br", "2", "dois"),
    ],
)
def test_a_sign_sounds_like_its_word(language: str, written: str, heard: str) -> None:
    """In each language as that has it, whatever stands around it."""
    assert pronounced(written, language) == pronounced(heard, language) != ()


def test_a_number_of_two_words_has_two_sounds() -> None:
    """Which can be found in what was written out, too."""
    assert pronounced("21", "en") == pronounced("twenty", "en") + pronounced("one", "en")


def test_what_is_not_heard_has_no_sound() -> None:
    """Punctuation, and all words of a language that is not known."""
    for word, language in (("...", "en"), ("—", "en"), ("", "en"), ("two", ""), ("two", "xx")):
        assert pronounced(word, language) == ()


def test_signs_of_which_no_sound_is_known_are_not_alike() -> None:
    """To espeak-ng every ideograph is a "Chinese letter"."""
    assert pronounced("東京", "ja") == pronounced("大阪", "ja") == ()
    assert pronounced("か", "ja") != ()
