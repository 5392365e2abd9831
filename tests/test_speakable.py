"""Text as written becomes text as said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice.speakable import CODE_LEFT_OUT, speakable


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("The **capital** is *Paris*.", "The capital is Paris."),
        ("It is __very__ ~~old~~ new", "It is very old new"),
        ("a **bold clause that is cut,", "a bold clause that is cut,"),
        ("Use `print` here", "Use print here"),
        ("my_file_name", "my file name"),
        ("## The answer", "The answer"),
        ("- an apple", "an apple"),
        ("* [x] done", "done"),
        ("3. a pear", "3, a pear"),
        ("> quoted", "quoted"),
        ("See [the docs](https://x.org/a_b) now", "See the docs now"),
        ("Go to https://www.example.com/a/b?c=1#d.", "Go to example dot com."),
        ("Write to jo.doe@mail.example.org!", "Write to jo dot doe at mail dot example dot org!"),
        ("Great! 😀👍🏽 Really 🇫🇷", "Great! Really"),
        ("| a | b |", "a, b"),
        ("A → B", "A to B"),
        ("salt & pepper, 5%", "salt & pepper, 5%"),
        ("AT&amp;T", "AT&T"),
        ("20 °C or 68°F", "20 degrees Celsius or 68 degrees Fahrenheit"),
        ("It costs $5.", "It costs 5 dollars."),
        ("£1 or €2.50", "1 pound or 2 euros 50"),
        ("$1,000.00 and $3 million", "1,000 dollars and 3 million dollars"),
        ("pages 10–20", "pages 10 to 20"),
        ("3 * 4 = 12", "3 × 4 = 12"),
        ("yes — no – maybe -- so", "yes, no, maybe, so"),
        ("Wait… what", "Wait, what"),
        ("Dr. Smith and Mrs. Jones", "Dr Smith and Mrs Jones"),
        ("either/or", "either or"),
        ("half is 1/2", "half is ½"),
        ("100 km/h", "100 kilometers per hour"),
        ("<b>bold</b><br>", "bold"),
        ("as shown[1][^2]", "as shown"),
        (r"1 \* 2 and \(x\)", "1 × 2 and x"),
        ("[[h@'loU]]", "h@'loU"),
        ("Ça va très bien, 東京。", "Ça va très bien, 東京。"),
        ("don't stop", "don't stop"),
    ],
)
def test_markup_and_signs_become_words_or_nothing(written: str, said: str) -> None:
    """What the voice would spell out or choke on is said as a person would."""
    assert speakable(written) == said


@pytest.mark.parametrize(
    "written", ["", " ", "---", "***", "|---|:-:|", "😀🎉", "...", "—", "**", "`"]
)
def test_what_cannot_be_said_is_nothing(written: str) -> None:
    """Without a letter or digit there is nothing to say."""
    assert speakable(written) == ""


def test_code_is_left_out_and_that_is_said() -> None:
    """A fenced block is replaced by one sentence, wherever it stands."""
    text = "Run this:\n```sh\nrm -rf *\n```\nand be careful"
    assert speakable(text) == f"Run this: {CODE_LEFT_OUT} and be careful"


def test_lines_are_said_with_a_pause_between_them() -> None:
    """Items of a list do not run into each other."""
    assert speakable("- eggs\n- milk\n- bread") == "eggs. milk. bread"


def test_no_english_words_are_put_into_other_languages() -> None:
    """Where a word would be needed, other languages get a pause or the sign itself."""
    assert speakable("Kosten: $5 → 10–20 °C", "de") == "Kosten: 5 $, 10–20 °C"
    assert speakable("siehe https://example.com", "de-DE") == "siehe example.com"


@given(st.text(max_size=200))
def test_any_text_can_be_made_speakable(text: str) -> None:
    """Whatever a model writes, the result is one line without markup the voice would act on."""
    said = speakable(text)
    assert "\n" not in said
    assert "[[" not in said
    assert said == said.strip()
