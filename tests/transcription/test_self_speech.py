"""Its own words are told from the user's, however the recognizer mishears them."""

from __future__ import annotations

import pytest

from edgevoice import events as ev
from edgevoice.engines.phonemes import pronounced
from edgevoice.protocols import Pronounce
from edgevoice.transcription.self_speech import LATE_WORD_SECONDS, SelfSpeechFilter, others

SAID = (
    "It takes about eight minutes for light from the sun to reach the earth. "
    "Would you like to know more about that?"
)


@pytest.mark.parametrize(
    "text",
    [
        "about eight minutes for light from the sun",
        "About 8 minutes for light from the sun.",
        "takes about ate minutes for lights from the son to reach",
        "To reach the Earth. Would you like to",
        "reach the birth would you like",
        "for light of the sun",
    ],
)
def test_what_it_has_just_said_is_nobody_s_however_it_is_misheard(text: str) -> None:
    """Wrong words among the right ones in the right order do not make it somebody else's."""
    assert others(text, SAID) == ""


@pytest.mark.parametrize(
    "text",
    [
        "What is the capital of France?",
        "Yes, more about that.",
        "The sun?",
        "Stop.",
        "earth the reach to sun the from light for minutes",
        "How long does light take from the sun to Mars and to Jupiter?",
        "Why did you say that light from the sun takes so long and not the moon?",
        "",
    ],
)
def test_a_question_with_words_of_the_reply_is_the_user_s(text: str) -> None:
    """A word or two in common, another order, or a quotation within a question: all are kept."""
    assert others(text, SAID) == text


CHINESE = "意大利的首都是罗马，那里大约有两百八十万人。"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("那里大约有两百八十万人", ""),
        ("首都是罗马，哪里大约有", ""),
        ("那里大约有两百八十万，够了，谢谢你，请停下来吧", "够了，谢谢你，请停下来吧"),
        ("罗马有多少人？", "罗马有多少人？"),
        ("首都", "首都"),
    ],
)
def test_words_that_are_written_without_spaces_are_told_sign_by_sign(text: str, left: str) -> None:
    """Two signs count as one word: a name alone is no reason to take a question for its own."""
    assert others(text, CHINESE) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("for light from the sun stop please tell me a joke", "stop please tell me a joke"),
        ("About eight minutes for light. No, I meant the moon.", "No, I meant the moon."),
        ("for light from the sun stop it", "stop it"),
        ("Um, minutes for light from what is the time now", "what is the time now"),
    ],
)
def test_what_the_user_says_behind_its_own_words_is_kept(text: str, left: str) -> None:
    """Who interrupts is heard from where it fell silent."""
    assert others(text, SAID) == left


def test_a_reply_without_words_and_a_long_one_are_compared_too() -> None:
    """Punctuation alone is no word; a long reply is searched to its end."""
    assert others("... - !", "- ... !") == "... - !"
    assert others("reach the earth would you", "word " * 300 + SAID) == ""


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("2 plus 2", ""),
        ("Two + two", ""),
        ("to plus to is for", ""),
        ("It is 21 in all", ""),
        ("it is twenty-one in all", ""),
        ("2 plus 2 is 4. No, 2 plus 3!", "No, 2 plus 3!"),
        ("twenty one in all what is the time", "what is the time"),
        ("2 times 2", "2 times 2"),
        ("It was 20 before", "It was 20 before"),
        ("In 1984?", "In 1984?"),
    ],
)
def test_what_sounds_like_its_own_words_is_its_own_however_it_is_spelt(
    text: str, left: str
) -> None:
    """The ear hears no digits, no signs and no hyphens."""
    for said in (
        "Two plus two is four. It is 21 in all. It was written in 1984.",
        "2 + 2 is 4. It is twenty-one in all. It was written in 1984.",
    ):
        assert others(text, said, lambda word: pronounced(word, "en")) == left


def said_aloud(
    echo: float | None = 0.06, pronounce: Pronounce = lambda word, language: ()
) -> SelfSpeechFilter:
    """A reply of two clauses, from 10 s to 16 s of the session, as turn 1."""
    own = SelfSpeechFilter(pronounce)
    own(ev.EchoMeasured(delay=echo, level=None))
    for clause, (at, text) in enumerate(
        [(10.0, "It takes about 8 minutes for light."), (13.0, "Would you like to know more?")]
    ):
        spoken = text.replace("8", "eight")
        own(ev.ClauseReady(turn=1, clause=clause, text=text, spoken=spoken))
        own(ev.SynthesisEnded(turn=1, clause=clause, seconds=3.0))
        own(ev.PlaybackStarted(turn=1, clause=clause, at=at, audible_at=at))
    own(ev.PlaybackEnded(turn=1, at=16.0))
    return own


@pytest.mark.parametrize("text", ["about eight minutes for light", "about 8 minutes for light"])
def test_numbers_are_its_own_as_written_and_as_spoken(text: str) -> None:
    """A recognizer writes them either way."""
    own = said_aloud()
    own(ev.SpeechStarted(turn=2, at=12.0))
    assert own.without(2, text) == ""


def test_it_is_asked_how_words_are_said_in_the_language_that_was_heard() -> None:
    """A digit sounds different in each."""
    own = said_aloud(pronounce=pronounced)
    own(ev.SpeechStarted(turn=2, at=12.0))
    assert own.without(2, "a bout ate minutes for light", "en") == ""
    assert own.without(2, "8 for like", "de") == "8 for like"
    assert own.without(2, "ate four light", "en") == ""


def test_only_what_was_said_aloud_of_late_is_its_own() -> None:
    """Once its voice has died away, whoever repeats it is somebody."""
    own = said_aloud()
    own(ev.SpeechStarted(turn=2, at=16.0 + LATE_WORD_SECONDS - 0.1))
    assert own.without(2, "would you like to know") == ""
    own(ev.SpeechStarted(turn=3, at=16.0 + LATE_WORD_SECONDS + 0.1))
    assert own.without(3, "would you like to know") == "would you like to know"
    own(ev.SpeechStarted(turn=4, at=13.0 + LATE_WORD_SECONDS + 0.1))
    assert own.without(4, "about eight minutes for light") == "about eight minutes for light"


def test_who_hears_it_in_headphones_may_repeat_it() -> None:
    """Where the microphone does not hear the speaker, nothing can be its own."""
    own = said_aloud(echo=None)
    own(ev.SpeechStarted(turn=2, at=12.0))
    assert own.without(2, "about eight minutes for light") == "about eight minutes for light"
    own(ev.EchoMeasured(delay=0.1, level=-20.0))
    assert own.without(2, "about eight minutes for light") == ""


def test_a_turn_that_was_not_spoken_has_no_words_of_its_own() -> None:
    """A typed question is never taken for an echo."""
    assert said_aloud().without(2, "about eight minutes for light")
