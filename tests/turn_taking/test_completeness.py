"""What the words alone tell of whether somebody goes on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice.languages import codes
from edgevoice.turn_taking.completeness import Completeness, completeness_of

ASKED, TOLD, SAID, OPEN, HANGING = (
    Completeness.QUESTION,
    Completeness.COMMAND,
    Completeness.STATEMENT,
    Completeness.FRAGMENT,
    Completeness.INCOMPLETE,
)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("What is the capital of France?", ASKED),
        ("what is the capital of france.", ASKED),
        ("How many planets are there?", ASKED),
        ("How old is the Brooklyn Bridge?", ASKED),
        ("What\u2019s the weather like?", ASKED),
        ("Is the front door locked?", ASKED),
        ("Is it going to rain today.", ASKED),
        ("Um, okay, what time is it?", ASKED),
        ("And who wrote Romeo and Juliet?", ASKED),
        ("I have to go. What time is it?", ASKED),
        ("When is it?", ASKED),
        ("You like it here?", ASKED),
        ("What is seven times eight?", ASKED),
        ("Can you tell me a joke?", ASKED),
    ],
)
def test_a_whole_question_is_asked(text: str, form: Completeness) -> None:
    """Question words, inverted verbs or the mark itself; what leads up to it does not count."""
    assert completeness_of(text) is form


@pytest.mark.parametrize(
    "text",
    [
        "Turn off the lights in the kitchen.",
        "Turn the lights off.",
        "turn on the living room lamp",
        "set a timer for 5 minutes",
        "Please open the window.",
        "Okay, play some relaxing music!",
        "Remind me to call my mother.",
        "Set a timer for ten minutes. Please.",
        "I'd like a drip coffee with brown sugar and milk.",
        "May I have a cappuccino?",
        "Stop.",
        "Never mind.",
        "And what is it famous for?",
    ],
)
def test_a_whole_command_or_wish_is_told(text: str) -> None:
    """It may be all, and it is what a little more is often added to, with or without its mark."""
    assert completeness_of(text) is TOLD


@pytest.mark.parametrize(
    "text",
    [
        "I am feeling a little tired today.",
        "My favourite colour is green.",
        "What time is it? I have to go at noon today.",
        "And take it with you.",
        "Play is what children do.",
        "He makes me, I feel. Has got a little too much of steel.",
        "I bought a hat. Which is green.",
        "What is the capital of?",
        "Why?",
    ],
)
def test_a_sentence_that_asks_for_nothing_is_said(text: str) -> None:
    """Statements, stories, and questions that may lack their end."""
    assert completeness_of(text) is SAID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...?",
        "Yes.",
        "Firefox",
        "Two people",
        "the biblical narratives",
        "Tell me.",
        "Can you tell me?",
        "Can you tell me who?",
        "Show me how.",
        "If I have three apples.",
        "Because it was raining.",
        "He was born in 1984.",
        "My number is 555 0123 4",
        "When I was a boy, we had none of that.",
    ],
)
def test_a_fragment_tells_nothing(text: str) -> None:
    """One word, no mark, half a sentence, a number that may get more digits."""
    assert completeness_of(text) is OPEN


@pytest.mark.parametrize(
    "text",
    [
        "What is the capital of the",
        "Set a timer for.",
        "I would like to",
        "And then I went to the...",
        "I bought milk, eggs,",
        "If I have three apples and",
        "So what I mean is, um.",
        "Let me think.",
        "What is",
        "How do?",
        "one zero zero zero one",
        "I think\u2026",
        "This is my.",
        "He said:",
    ],
)
def test_what_cannot_be_the_end_hangs(text: str) -> None:
    """Articles, conjunctions, prepositions, fillers, commas, dots, and digits being dictated.

    A recognizer likes to put a full stop behind them; it is not believed.
    """
    assert completeness_of(text) is HANGING


@pytest.mark.parametrize(
    ("language", "text", "form"),
    [
        ("de", "Was ist die Hauptstadt von Frankreich?", ASKED),
        ("de", "Wie spät ist es.", ASKED),
        ("de", "Schalte das Licht aus.", TOLD),
        ("de", "Ich möchte einen Kaffee.", TOLD),
        ("de", "Ich habe heute einen Hund gesehen.", SAID),
        ("de", "Ich möchte einen Kaffee und", HANGING),
        ("de", "Äh.", HANGING),
        ("fr", "Quelle heure est-il ?", ASKED),
        ("fr", "Allume la lumière.", TOLD),
        ("fr", "Je voudrais un café avec", HANGING),
        ("es", "¿Qué hora es?", ASKED),
        ("es", "Apaga la luz.", TOLD),
        ("es", "Pon un temporizador de", HANGING),
        ("it", "Che ore sono?", ASKED),
        ("it", "Accendi la luce.", TOLD),
        ("pt", "Apague a luz, por favor.", TOLD),
        ("nl", "Zet het licht uit.", TOLD),
        ("nl", "Ik heb een hond gezien in de", HANGING),
        ("ja", "今何時ですか。", TOLD),
        ("ja", "今何時ですか？", ASKED),
        ("ja", "私は学生です。", SAID),
        ("ja", "東京の", HANGING),
        ("zh", "今天天气怎么样？", ASKED),
        ("zh", "我今天很高兴。", SAID),
        ("ar", "ما هي عاصمة فرنسا؟", ASKED),
        ("sv", "Vad är klockan?", ASKED),
        ("sv", "Jag har en hund.", SAID),
        ("sv", "Jag har en hund,", HANGING),
    ],
)
def test_other_languages_are_known_by_their_marks_and_commonest_words(
    language: str, text: str, form: Completeness
) -> None:
    """Where a language has no list, its punctuation still tells."""
    assert completeness_of(text, language) is form


def test_a_word_counts_only_in_its_own_language() -> None:
    """The German article is an English verb: nothing hangs on it there."""
    assert completeness_of("They all must die.", "en") is SAID
    assert completeness_of("Ich suche die.", "de") is HANGING


@given(st.text(max_size=200), st.sampled_from([*codes(), "auto", ""]))
def test_every_text_has_a_form(text: str, language: str) -> None:
    """Whatever a recognizer writes, in whatever script, is weighed and never refused."""
    assert completeness_of(text, language) in Completeness


@given(st.sampled_from(["What is the capital of France", "Turn on the lamp", "I like it here"]))
def test_trailing_off_always_hangs(text: str) -> None:
    """The clearest sentence is not over when the recognizer heard it trail off."""
    for mark in ("...", "\u2026", ",", " \u2013"):
        assert completeness_of(text + mark) is HANGING
