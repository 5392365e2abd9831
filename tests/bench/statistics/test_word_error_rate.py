"""Words are counted as wrong as they are counted everywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice.bench.statistics.word_error_rate import rate, word_errors

sentences = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=8).map(" ".join)


@pytest.mark.parametrize(
    ("said", "recognized", "errors"),
    [
        ("set a timer", "Set a timer!", 0),
        ("there's iron", "Theres iron.", 0),
        ("set a timer", "set the timer", 1),
        ("set a timer", "set timer", 1),
        ("set a timer", "set a a timer", 1),
        ("set a timer", "", 3),
        ("", "thank you", 2),
        ("kitten sat in the house", "sat in a the mitten house", 3),
    ],
)
def test_substitutions_omissions_and_insertions_count_one_each(
    said: str, recognized: str, errors: int
) -> None:
    """Case and punctuation count nothing."""
    assert word_errors(said, recognized) == (errors, len(said.split()))


@given(sentences, sentences)
def test_errors_are_a_distance(one: str, other: str) -> None:
    """The same both ways, none only between equals, never more than the longer has words."""
    errors = word_errors(one, other)[0]
    assert errors == word_errors(other, one)[0]
    assert (errors == 0) == (one == other)
    assert errors <= max(len(one.split()), len(other.split()))


def test_no_rate_is_made_up_where_nothing_was_said() -> None:
    """Words put in where none were said have no rate."""
    assert rate(2, 0) is None
    assert rate(1, 4) == 0.25
