"""Count words."""

from __future__ import annotations

import pytest

from edgevoice.words import count


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("… — !", 0),
        ("What is 3.5 times two?", 5),
        ("don't", 1),
        ("今天天气怎么样", 4),
        ("我", 1),
        ("Das ist 今天 gut.", 4),
    ],
)
def test_two_signs_are_a_word_where_words_are_written_without_spaces(text: str, words: int) -> None:
    """And punctuation is none anywhere."""
    assert count(text) == words
