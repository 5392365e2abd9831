"""What is said into a reply: what it comes to, and what is done until that is known."""

from __future__ import annotations

import pytest

from edgevoice.languages import every
from edgevoice.protocols import Transcript
from edgevoice.settings import SttSettings, TurnSettings
from edgevoice.turn_records import Classification
from edgevoice.turn_taking.backchannels import is_backchannel, is_stop, telling
from edgevoice.turn_taking.interruption import (
    INTERRUPTION_PRESETS,
    Action,
    Interruption,
    classify,
    thresholds,
)

FRAME = 32.0


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Mm-hmm.", "en"),
        ("Mhm", "en"),
        ("M H M.", "en"),
        ("Uh-huh.", "en"),
        ("Yeah, yeah, okay.", "en"),
        ("Oh, I see. Right.", "en"),
        ("Ha ha ha!", "en"),
        ("Hahaha.", "en"),
        ("Um…", "en"),
        ("Ja, genau.", "de"),
        ("Ach so, verstehe.", "de"),
        ("D'accord, oui.", "fr"),
        ("Hahaha", "xx"),
        ("はい。", "ja"),
    ],
)
def test_who_only_listens_is_told_from_who_speaks(text: str, language: str) -> None:
    """Humming, agreeing and laughing are backchannels, repeated and together too."""
    assert is_backchannel(text, language)
    assert not is_stop(text, language)
    assert telling(text, language) == 0


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Stop.", "en"),
        ("Okay, stop, please!", "en"),
        ("Stop, stop, stop.", "en"),
        ("Wait a minute.", "en"),
        ("That's enough, thanks.", "en"),
        ("Hör auf, bitte.", "de"),
        ("Warte mal.", "de"),
        ("Ça suffit.", "fr"),
        ("停", "zh"),
    ],
)
def test_who_asks_for_silence_is_understood(text: str, language: str) -> None:
    """With the politeness and the hesitation around it."""
    assert is_stop(text, language)
    assert not is_backchannel(text, language)


@pytest.mark.parametrize(
    "text",
    [
        "No.",
        "Stop the music.",
        "Wait, what about Spain?",
        "Yeah, but why?",
        "Right or left?",
        "Spain?",
        "Next.",
        "I see a problem there.",
        "",
        "...",
    ],
)
def test_what_wants_an_answer_is_neither(text: str) -> None:
    """One more word makes a question of what would only have been a sign of listening."""
    assert not is_backchannel(text)
    assert not is_stop(text)


def test_no_language_takes_the_same_words_for_listening_and_for_stopping() -> None:
    """Otherwise one of the two would never be obeyed."""
    for language in every():
        said = language.backchannels
        assert not said.stopping & said.listening


def sense(
    text: str, *, whole: bool = True, voiced: float = 0.4, **of: float
) -> Classification | None:
    return classify(Transcript(text, **of), voiced + 0.5, voiced, SttSettings(), whole=whole)  # type: ignore[arg-type]


def test_a_single_word_decides_only_when_nothing_follows_it() -> None:
    """While somebody still speaks, it may be a cough or the beginning of anything."""
    assert sense("Who", whole=False) is None
    assert sense("Who", whole=True) is Classification.WORDS
    assert sense("Who was that", whole=False) is Classification.WORDS
    assert sense("Yeah but who", whole=False) is None


def test_what_a_recognizer_makes_of_a_noise_is_nobody_s() -> None:
    """The same doubts count as for a question."""
    assert sense("Thank you.", no_speech=0.8, logprob=-1.2) is Classification.NO_WORDS
    assert sense("") is Classification.NO_WORDS
    assert sense("[coughs]") is Classification.NO_WORDS


def test_a_short_sound_that_is_probably_no_speech_does_not_end_a_reply() -> None:
    """What is said for longer, or clearly, does; and so does being told to stop."""
    assert sense("Emma Chen", no_speech=0.87, logprob=-0.75, voiced=0.45) is Classification.NO_WORDS
    assert sense("Emma Chen", no_speech=0.2, logprob=-0.75, voiced=0.45) is Classification.WORDS
    assert sense("Emma Chen", no_speech=0.87, logprob=-0.75, voiced=0.9) is Classification.WORDS
    assert sense("Stop", no_speech=0.87, logprob=-0.75, voiced=0.45) is Classification.STOP


def deeds(sound: str, **settings: object) -> list[tuple[int, Action]]:
    """What is done, and in which frame, to a sound of voiced (#) and silent (.) frames that never
    becomes a turn."""
    rule = Interruption(TurnSettings(**settings))  # type: ignore[arg-type]
    done = ((n, rule.listen(mark == "#", FRAME)) for n, mark in enumerate(sound))
    return [(n, deed) for n, deed in done if deed is not None]


def test_a_first_syllable_ducks_and_silence_restores() -> None:
    """Shorter sounds do nothing, and a gap between two syllables does not flutter."""
    assert deeds("#.......") == []
    assert deeds("##..##......") == [(1, Action.DUCK), (12 - 1 + 2, Action.RESTORE)][:1]
    assert deeds("##.........") == [(1, Action.DUCK), (9, Action.RESTORE)]


def turn(
    spoken: float, *, sense: Classification | None = None, sensed: float = 0.0
) -> list[Action]:
    """What is done about a turn of `spoken` ms of voice that comes to `sense`."""
    rule = Interruption(TurnSettings())
    voiced = 256.0
    done = []
    while voiced <= spoken:
        deed = rule.follow(True, FRAME, voiced, sense if voiced >= sensed else None, sensed)
        if deed is not None:
            done.append(deed)
        if deed in (Action.STOP, Action.DISMISS):
            break
        voiced += FRAME
    return done


def test_a_turn_pauses_the_reply_once() -> None:
    """However many frames follow."""
    assert turn(800) == [Action.PAUSE]


def test_a_reply_is_not_kept_waiting_for_a_slow_recognizer() -> None:
    """After a second and a half of silence it goes on, and pauses again for the next word."""
    rule = Interruption(TurnSettings())
    done = [rule.follow(n < 10, FRAME, 32.0 * min(n, 10) + 256, None, 0.0) for n in range(90)]
    done.append(rule.follow(True, FRAME, 600.0, None, 0.0))
    assert [deed for deed in done if deed] == [Action.PAUSE, Action.RESUME, Action.PAUSE]


def test_a_voice_that_does_not_stop_takes_over_unread() -> None:
    """After the time that is set, if no word is known by then."""
    assert turn(1300) == [Action.PAUSE, Action.STOP]


def test_a_noise_that_was_read_does_not_take_over() -> None:
    """What was found to be nothing counts no more, and after three seconds it is given up."""
    assert turn(1500, sense=Classification.NO_WORDS, sensed=600) == [Action.PAUSE]
    assert turn(4000, sense=Classification.NO_WORDS, sensed=2900) == [Action.PAUSE, Action.STOP]


def test_each_manner_asks_for_more_than_the_one_before() -> None:
    """And a time that is set counts instead of the preset's."""
    eager, normal, careful = (INTERRUPTION_PRESETS[name] for name in ("eager", "normal", "careful"))
    assert eager.duck_ms < normal.duck_ms < careful.duck_ms
    assert eager.pause_playback_ms < normal.pause_playback_ms < careful.pause_playback_ms
    assert eager.stop_playback_ms < normal.stop_playback_ms < careful.stop_playback_ms
    assert (
        thresholds(TurnSettings(interruption="careful", pause_playback_ms=300)).pause_playback_ms
        == 300
    )
    assert thresholds(TurnSettings()) == normal
