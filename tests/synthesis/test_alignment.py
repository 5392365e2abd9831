"""The words of a text, found in another way of writing it, and from there in its sound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice.agent.clauses import ClauseCutter
from edgevoice.audio import Mark
from edgevoice.languages.text_normalization import normalize
from edgevoice.synthesis.alignment import MAX_ALIGNED_CHARACTERS, reached, word_spans, written

TEXTS = st.text("ab C.,\n*12—中", max_size=40)


def said(spoken: str, step: int = 10) -> list[Mark]:
    """Marks of a voice that takes `step` samples for every character."""
    return [Mark(b, e, b * step, e * step) for b, e in word_spans(spoken)]


def told(text: str) -> list[tuple[str, str]]:
    """Each word that is marked in `text`, and the part of what is spoken that it sounds in."""
    spoken = normalize(text)
    marks = written(said(spoken), text, spoken)
    return [(text[m.begin : m.end], spoken[m.start // 10 : m.stop // 10].strip()) for m in marks]


@given(TEXTS, TEXTS)
def test_places_run_from_one_end_to_the_other(one: str, other: str) -> None:
    """Whatever the texts, no place is left out, and none comes before the one before it."""
    places = reached(one, other)
    assert len(places) == len(one) + 1
    assert places == sorted(places)
    if one:
        assert (places[0], places[-1]) == (0, len(other))


@given(TEXTS)
def test_a_text_is_reached_by_itself_as_it_is_written(text: str) -> None:
    """Nothing is moved where nothing was changed, in capitals or not."""
    assert reached(text, text) == list(range(len(text) + 1))
    assert reached(text, text.swapcase()) == list(range(len(text) + 1))


@given(st.lists(st.sampled_from(["one", "of", "the", "words", "1984"]), min_size=1, max_size=8))
def test_words_are_found_again_when_spaces_are_lost(words: list[str]) -> None:
    """Where two words are run together each still ends where it did."""
    text = " ".join(words)
    places = reached(text, "".join(words))
    for begin, end in word_spans(text):
        assert places[end] - places[begin] == end - begin


@given(TEXTS, TEXTS)
def test_marks_of_words_are_in_order_and_within_the_sound(text: str, spoken: str) -> None:
    """However little two texts have in common, each word is a stretch of the sound."""
    marks = written(said(spoken), text, spoken)
    ends = [0]
    for mark in marks:
        assert (mark.begin, mark.end) in word_spans(text)
        assert 0 <= mark.start <= mark.stop <= 10 * len(spoken)
        ends.append(mark.stop)
    assert ends == sorted(ends)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It costs $5.20 today.", "It|costs|5 dollars 20|today."),
        ("About 25 °C in **New York**, then", "About|25|degrees Celsius|in|New|York,|then"),
        (
            "Dr. Smith is ~40, and a [friend](https://a.org)",
            "Doctor|Smith|is|about 40,|and|a|friend",
        ),
        ("Hello 😀 there", "Hello|there"),
        ("- first — and last", "first,|and|last"),
        ("and/or 3–5 km/h now", "and or|3 to 5|kilometers per hour|now"),
        ("see https://www.example.com/a?b=c for more", "see|example dot com|for|more"),
    ],
)
def test_each_word_sounds_as_what_is_said_for_it(text: str, expected: str) -> None:
    """Signs, sums of money, addresses and markup are words as the model wrote them."""
    assert "|".join(sound for _, sound in told(text)) == expected


def test_what_is_not_said_has_no_mark() -> None:
    """Markup and emoji are passed with the word behind them."""
    assert [word for word, _ in told("Hello 😀 there - you")] == ["Hello", "there", "you"]


def test_a_block_of_code_is_passed_with_what_is_said_for_it() -> None:
    """Code too long to be laid beside anything is one word, which sounds as the whole sentence."""
    code = "```\n" + "x = 1\n" * MAX_ALIGNED_CHARACTERS + "```\n"
    clause, *others = ClauseCutter(None).push(code)
    marks = written(said(clause.spoken), clause.text, clause.spoken)
    assert marks == (Mark(0, len(clause.text.rstrip()), 0, 10 * len(clause.spoken)),)
    assert not any(other.spoken for other in others)


def test_signs_of_a_script_without_spaces_are_words() -> None:
    """Where words are written together each sign is marked by itself."""
    assert word_spans("中文 is ok") == [(0, 1), (1, 2), (3, 5), (6, 8)]
