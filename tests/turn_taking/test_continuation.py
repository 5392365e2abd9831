"""When words ask that a reply be gone on with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice.languages import codes, language_data
from edgevoice.turn_taking.continuation import wants_more

KNOWN = [code for code in codes() if language_data(code).sentences.going_on]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Go on."),
        ("en", "Okay, go on, please!"),
        ("en", "please continue"),
        ("en", "Carry on"),
        ("en", "And then?"),
        ("en", "Yes, and then what?"),
        ("en-GB", "Um, keep going."),
        ("de", "Weiter, bitte."),
        ("de", "Und dann?"),
        ("fr", "Vas-y !"),
        ("es", "Continúa, por favor."),
        ("it", "Vai avanti"),
        ("pt", "Vá em frente."),
        ("nl", "Ga maar door."),
    ],
)
def test_a_wish_to_hear_more_is_known_in_each_language(language: str, text: str) -> None:
    """With marks, capitals and polite words, or without."""
    assert wants_more(text, language)
    assert wants_more(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "please",
        "okay",
        "Go on holiday.",
        "Go on to the next one.",
        "What is going on?",
        "Can I continue?",
        "And then we went home.",
        "Do not go on.",
        "Stop.",
    ],
)
def test_other_words_are_questions_like_any_other(text: str) -> None:
    """Only the whole utterance counts."""
    assert not wants_more(text, "en")


def test_a_wish_counts_in_its_own_language() -> None:
    """`Siga` is none in English."""
    assert wants_more("Siga.", "es")
    assert not wants_more("Siga.", "en")


@given(st.sampled_from(KNOWN), st.data())
def test_every_wish_in_the_lists_is_one(language: str, data: st.DataObject) -> None:
    """Each as it is listed, and in capitals."""
    wish = data.draw(st.sampled_from(sorted(language_data(language).sentences.going_on)))
    assert wants_more(wish, language)
    assert wants_more(wish.upper() + "!", language)
