"""Two readings of growing speech: what stays, and what of a change means nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice.transcription.local_agreement import LocalAgreement, respelled, without_last_word
from edgevoice.words import plain, same_words

texts = st.lists(st.sampled_from(["What", "what", "is", "it,", "it", "for?", "for"])).map(" ".join)


def test_nothing_is_agreed_on_after_one_reading() -> None:
    """It takes two to agree."""
    assert LocalAgreement().add("what is the") == ""


def test_two_readings_agree_up_to_the_first_other_word() -> None:
    """Case and punctuation are no difference; the newer spelling is given, open at its end."""
    agreement = LocalAgreement()
    agreement.add("what is the capital of friends?")
    assert agreement.add("What is, the capital of France?") == "What is, the capital of"


def test_what_was_agreed_on_may_be_taken_back() -> None:
    """A reading that differs earlier shortens the agreement."""
    agreement = LocalAgreement()
    for text in ("one two three", "one two three four"):
        agreement.add(text)
    assert agreement.add("one too three four five") == "one"


def test_signs_that_are_written_without_spaces_are_agreed_on_one_by_one() -> None:
    """A sentence of Chinese is no single word that changes with each sign."""
    agreement = LocalAgreement()
    agreement.add("意大利的首都，使")
    assert agreement.add("意大利的首都是哪里？") == "意大利的首都"
    assert without_last_word("意大利的首都是？") == "意大利的首都"


@given(texts, texts)
def test_the_agreement_is_a_beginning_of_both(first: str, second: str) -> None:
    """Word for word, whatever was read."""
    agreement = LocalAgreement()
    agreement.add(first)
    agreed = [*map(plain, agreement.add(second).split())]
    assert [*map(plain, first.split())][: len(agreed)] == agreed
    assert [*map(plain, second.split())][: len(agreed)] == agreed


@pytest.mark.parametrize(
    ("text", "expected"), [("", ""), ("one", ""), ("one, two", "one"), ("a b c.", "a b")]
)
def test_the_last_word_may_be_cut_in_the_middle(text: str, expected: str) -> None:
    """Everything before it is likely, without a mark at its end."""
    assert without_last_word(text) == expected


@pytest.mark.parametrize(
    ("text", "like", "expected"),
    [
        ("and what is it famous for?", "And what is", "And what is it famous for?"),
        ("Good, evening in French?", "good evening", "good evening in French?"),
        ("What is it?", "what is it famous", "what is it?"),
        ("what is it", "What is it?", "What is it"),
        ("No", "Yes", "No"),
        ("", "Yes", ""),
        ("Yes.", "", "Yes."),
        ("東京の人口は？", "東京の、", "東京の、人口は？"),
        ("東京は？", "東京は", "東京は？"),
    ],
)
def test_words_keep_the_spelling_they_were_read_in_first(
    text: str, like: str, expected: str
) -> None:
    """So that a capital or a comma more does not undo what was computed for them."""
    assert respelled(text, like) == expected


@given(texts, texts)
def test_respelling_changes_no_word(text: str, like: str) -> None:
    """Whatever it is made to look like."""
    assert same_words(respelled(text, like), text)
