"""Replies are cut into clauses where a speaker would breathe, and the first one early."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice.agent.clauses import ClauseCutter
from edgevoice.languages import language_data
from edgevoice.messages import Clause

PIECES = st.sampled_from(
    [
        *["a", "the", "word", "Paris", "Dr.", "e.g.", "U.S.", "and ", "because ", "so", "ß", "é"],
        *["3.", "14", "1,000", ".50", "10:30", "½", "https://x.org/a?b=1.", "[x](http://a.b/c, d)"],
        *[" ", "  ", "\n", "\n\n", "\t", ",", ". ", "! ", "?", ": ", "; ", "—", " - ", "…", "..."],
        *[
            "*",
            "**",
            "`",
            "```",
            "```\n",
            "~~~",
            "# ",
            "1. ",
            "- ",
            "| a | b |",
            '"',
            "'",
            ")",
            "(",
        ],
        *["😀", "。", "、", "「", "」"],
    ]
)
TEXTS = st.lists(PIECES, max_size=60).map("".join) | st.text(max_size=80)


def cut(text: str, first_words: int = 4) -> list[Clause]:
    cutter = ClauseCutter(first_words)
    return cutter.push(text) + cutter.flush()


def texts(text: str, first_words: int = 4) -> list[str]:
    return [clause.text.strip() for clause in cut(text, first_words)]


@given(TEXTS)
def test_all_clauses_together_are_the_reply(text: str) -> None:
    """Not a character is lost, doubled or moved, and each clause knows where it stands."""
    clauses = cut(text)
    assert "".join(clause.text for clause in clauses) == text
    assert all(text[clause.start : clause.end] == clause.text for clause in clauses)
    assert all(clause.text for clause in clauses)


@given(TEXTS, st.lists(st.integers(1, 9), min_size=1))
def test_how_the_text_was_cut_into_tokens_makes_no_difference(text: str, sizes: list[int]) -> None:
    """The clauses depend on what was written, never on the pieces it came in."""
    cutter = ClauseCutter(4)
    clauses: list[Clause] = []
    rest = text
    for size in itertools.cycle(sizes):
        if not rest:
            break
        clauses += cutter.push(rest[:size])
        rest = rest[size:]
    assert clauses + cutter.flush() == cut(text)


@given(TEXTS)
def test_a_clause_is_cut_as_soon_as_it_is_known(text: str) -> None:
    """What is pending when a character arrives is never more than what had to wait for it."""
    cutter = ClauseCutter(4)
    seen: list[Clause] = []
    for count, char in enumerate(text, 1):
        seen += cutter.push(char)
        fresh = ClauseCutter(4)
        assert fresh.push(text[:count]) == seen


@pytest.mark.parametrize(
    "sentence",
    [
        "It costs $1,000.50 today.",
        "Pi is 3.14 or so.",
        "Come at 10:30 tomorrow.",
        "Dr. Smith met Mr. Jones at St. Mary.",
        "Some fruit, e.g. apples, is sweet.",
        "The U.S. Senate met.",
        "It starts at 8 a.m. on Monday.",
        "See https://example.com/a.b?c=d. e for more.",
        "Version 2.0.1 is out.",
        "See No. 5 and Fig. 3 there.",
        "J. R. R. Tolkien wrote it.",
        "Run `a. b` now.",
        "Read [this. That](http://x.org) first.",
    ],
)
def test_numbers_abbreviations_and_addresses_stay_whole(sentence: str) -> None:
    """A full stop, comma or colon inside them ends nothing."""
    assert texts(sentence, first_words=30) == [sentence]


def test_every_sentence_is_a_clause() -> None:
    """Full stops, question and exclamation marks end clauses, quotes and brackets included."""
    said = 'Yes. "Is it?" (It is.) The answer is 42. At 5 p.m. The end!'
    assert texts(said) == [
        "Yes.",
        '"Is it?"',
        "(It is.)",
        "The answer is 42.",
        "At 5 p.m.",
        "The end!",
    ]


def test_a_full_stop_waits_for_what_follows() -> None:
    """`3.` may become `3.14`, so nothing is cut before that is known."""
    cutter = ClauseCutter(2)
    assert cutter.push("Pi is about 3.") == []
    assert cutter.push("14") == []
    assert [clause.text for clause in cutter.push(". N")] == ["Pi is about 3.14. "]


def test_the_first_clause_ends_at_the_first_break_after_a_few_words() -> None:
    """A comma, a dash or a conjunction is enough, once there are words to bridge the wait."""
    assert texts("Well, the moon is far away, but not too far, as you know, for us to go.")[0] == (
        "Well, the moon is far away,"
    )
    assert texts("The moon is far — very far indeed.")[0] == "The moon is far —"
    assert texts("Dogs bark at strangers because they are afraid of them.")[0] == (
        "Dogs bark at strangers"
    )


def test_a_first_clause_without_any_break_is_cut_all_the_same() -> None:
    """A few words more and it is cut between words, but not behind one that leans forward."""
    first = texts("This remarkable old building was once owned by the king of a small country.")[0]
    assert first == "This remarkable old building was once owned"
    assert len(texts("It is one of the most of the best of them all here today.")[0].split()) > 7


def test_later_clauses_are_long_enough_to_sound_natural() -> None:
    """After the first, a comma cuts only a clause that is long already."""
    text = (
        "Of course. Apples, pears, and figs are fruit, but nuts are not; they are the seeds of"
        " trees, which is something else."
    )
    assert texts(text) == [
        "Of course.",
        "Apples, pears, and figs are fruit, but nuts are not;",
        "they are the seeds of trees, which is something else.",
    ]


def test_a_long_sentence_without_commas_is_cut_before_a_conjunction() -> None:
    """Nobody says thirty words in one breath."""
    text = (
        "Sure. The history of the city goes back to the time when the Romans built a camp on the"
        " river and called it by the name that people had always used."
    )
    assert texts(text)[2].startswith("and called it")


def test_lines_list_items_and_headings_end_clauses() -> None:
    """A line break is a break, whatever stands before it."""
    text = "# Fruit\n\nThere are two\n1. Apples\n2. Pears and figs\n- [ ] none"
    assert texts(text) == [
        "# Fruit",
        "There are two",
        "1. Apples",
        "2. Pears and figs",
        "- [ ] none",
    ]


def test_a_block_of_code_is_one_clause_that_is_not_read_out() -> None:
    """From fence to fence it is one clause, and the voice says that it was left out."""
    clauses = cut("Try this:\n```python\nprint('a. b')\n\nif x: pass\n```\nDone.")
    assert [clause.spoken for clause in clauses] == [
        "Try this:",
        language_data("en").signs.code,
        "Done.",
    ]
    assert cut("```\nnever closed. At all")[0].spoken == language_data("en").signs.code


def test_what_is_not_to_be_said_is_a_clause_with_nothing_to_say() -> None:
    """Rules, emoji and stray marks are passed over, but still counted in the text."""
    clauses = cut("Hello there.\n---\n😀")
    assert [clause.spoken for clause in clauses] == ["Hello there.", "", ""]


def test_scripts_without_spaces_are_cut_at_their_own_marks() -> None:
    """Chinese, Japanese, Arabic and Hindi end sentences with signs of their own."""
    assert texts("東京は首都です。大きいですか？「はい。」と言う") == [
        "東京は首都です。",
        "大きいですか？",
        "「はい。」",
        "と言う",
    ]
    assert texts("ما اسمك؟ أنا هنا") == ["ما اسمك؟", "أنا هنا"]
    assert texts("यह सच है। हाँ") == ["यह सच है।", "हाँ"]


def test_empty_pieces_and_an_empty_reply_make_no_clause() -> None:
    """Tokens without text, as half a character makes them, change nothing."""
    cutter = ClauseCutter(4)
    assert cutter.push("") == []
    assert cutter.flush() == []


@pytest.mark.parametrize(
    ("text", "longest"),
    [
        ("x" * 1000, 120),
        ("e" * 500 + " and " + "o" * 500, 240),
        ("好" * 300, 60),
        ("ก" * 400, 120),
    ],
    ids=["letters", "two words", "Chinese", "Thai"],
)
def test_a_word_without_end_is_cut(text: str, longest: int) -> None:
    """Letters or signs without a blank make clauses of bounded length, and none is lost."""
    clauses = cut(text)
    assert "".join(clause.text for clause in clauses) == text
    assert max(len(clause.text) for clause in clauses) <= longest


def test_long_words_and_addresses_are_whole() -> None:
    """The longest words of a language stay together, an address too, and accents with letters."""
    word = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"
    assert texts(f"{word}. {word}") == [f"{word}.", word]
    address = "https://example.org/" + "a" * 300
    assert texts(address) == [address]
    assert not any(clause.text.startswith("\u0301") for clause in cut("e\u0301" * 400))


def test_a_script_that_the_voice_cannot_read_is_mentioned_once() -> None:
    """Foreign letters are left out of a sentence; sentences of nothing else are one remark."""
    cutter = ClauseCutter(None)
    text = "Hello is こんにちは。 Привет, мир. Как дела? And good bye."
    spoken = [clause.spoken for clause in cutter.push(text) + cutter.flush()]
    remark = language_data("en").signs.foreign
    assert [each for each in spoken if each] == ["Hello is", remark, "And good bye."]
