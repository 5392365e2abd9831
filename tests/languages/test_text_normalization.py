"""Text as written becomes text as said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice.languages import language_data
from edgevoice.languages.text_normalization import normalize

CODE_LEFT_OUT = language_data("en").signs.code


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
        ("salt & pepper, 5%", "salt and pepper, 5 percent"),
        ("AT&amp;T", "A T and T"),
        ("20 °C or 68°F", "20 degrees Celsius or 68 degrees Fahrenheit"),
        ("It costs $5.", "It costs 5 dollars."),
        ("£1 or €2.50", "1 pound or 2 euros 50"),
        ("$1,000.00 and $3 million", "1,000 dollars and 3 million dollars"),
        ("pages 10–20", "pages 10 to 20"),
        ("3 * 4 = 12", "3 times 4 equals 12"),
        ("yes — no – maybe -- so", "yes, no, maybe, so"),
        ("Wait… what", "Wait, what"),
        ("Dr. Smith and Mrs. Jones", "Doctor Smith and Mrs Jones"),
        ("either/or", "either or"),
        ("half is 1/2", "half is one half"),
        ("100 km/h", "100 kilometers per hour"),
        ("<b>bold</b><br>", "bold"),
        ("as shown[1][^2]", "as shown"),
        (r"1 \* 2 and \(x\)", "1 times 2 and x"),
        ("[[h@'loU]]", "h@'loU"),
        ("Ça va très bien, 東京。", "Ça va très bien,"),
        ("don't stop", "don't stop"),
    ],
)
def test_markup_and_signs_become_words_or_nothing(written: str, said: str) -> None:
    """What the voice would spell out or choke on is said as a person would."""
    assert normalize(written) == said


@pytest.mark.parametrize(
    "written", ["", " ", "---", "***", "|---|:-:|", "😀🎉", "...", "—", "**", "`"]
)
def test_what_cannot_be_said_is_nothing(written: str) -> None:
    """Without a letter or digit there is nothing to say."""
    assert normalize(written) == ""


def test_code_is_left_out_and_that_is_said() -> None:
    """A fenced block is replaced by one sentence, wherever it stands."""
    text = "Run this:\n```sh\nrm -rf *\n```\nand be careful"
    assert normalize(text) == f"Run this: {CODE_LEFT_OUT} and be careful"


def test_lines_are_said_with_a_pause_between_them() -> None:
    """Items of a list do not run into each other."""
    assert normalize("- eggs\n- milk\n- bread") == "eggs. milk. bread"


def test_no_english_words_are_put_into_other_languages() -> None:
    """Where a word would be needed, a language of which none is known gets a pause or the sign."""
    assert normalize("5 km, jo@x.org", "xx") == "5 km, jo @ x.org"
    assert normalize("$5 → 10–20 °C", "xx") == "5 $, 10–20 °C"


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("de", "Kosten: 2,50 € → 10–20 °C", "Kosten: 2 Euro 50, 10 bis 20 Grad Celsius"),
        (
            "de",
            "z. B. $1, d.h. ca. 3 Millionen €",
            "zum Beispiel ein Dollar, das heißt circa 3 Millionen Euro",
        ),
        (
            "de",
            "Äpfel, Birnen usw. Dann 50 km/h",
            "Äpfel, Birnen und so weiter. Dann 50 Kilometer pro Stunde",
        ),
        ("de", "Siehe www.beispiel.de", "Siehe beispiel Punkt de"),
        ("fr", "Cela coûte 3 millions € ou 1 €", "Cela coûte 3 millions d'euros ou un euro"),
        ("fr", "p. ex. 5–7 km/h", "par exemple 5 à 7 kilomètres par heure"),
        ("es", "Cuesta 2,50 €, p.ej. hoy", "Cuesta 2 euros con 50, por ejemplo hoy"),
        ("it", "ad es. 3 €, 20 °C", "ad esempio 3 euro, 20 gradi Celsius"),
        ("pl", "Koszt: $5 → 10–20 °C", "Koszt: 5 dolarów, 10 do 20 stopni Celsjusza"),
        ("pt", "O Sr. Silva paga $3 milhões", "O senhor Silva paga 3 milhões de dólares"),
        ("pt", "~20 °C", "cerca de 20 graus Celsius"),
        ("nl", "bijv. 10-20 km/h enz.", "bijvoorbeeld 10 tot 20 kilometer per uur enzovoort."),
        ("en", "It is 5 € each, or 3 million $", "It is 5 euros each, or 3 million dollars"),
    ],
)
def test_each_language_has_its_own_words_for_signs(language: str, written: str, said: str) -> None:
    """Amounts, units, ranges, addresses and abbreviations are said as people there say them."""
    assert normalize(written, language) == said


@given(st.text(max_size=200))
def test_any_text_can_be_made_speakable(text: str) -> None:
    """Whatever a model writes, the result is one line without markup the voice would act on."""
    said = normalize(text)
    assert "\n" not in said
    assert "[[" not in said
    assert said == said.strip()
