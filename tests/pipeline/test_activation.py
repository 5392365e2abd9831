"""Ways to be addressed: always, by a wake word, or by a key that is pushed."""

from __future__ import annotations

import numpy as np
import pytest

from edgevoice import events as ev
from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Samples
from edgevoice.settings import ActivationSettings, Config, SttSettings, WakeSettings
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import LoudnessDetector, ScriptedWakeDetector
from edgevoice.turn_taking.activation import Activation, without_wake_word
from edgevoice.turn_taking.earcons import LOUD, LOUD_FACTOR, NOTES, PEAK, earcon

CALL = "hey jarvis"
LONG = "Once upon a time there was a very long story that nobody ever heard the end of."


def rehearsal(
    answer: str = "All right.", follow_up: float = 3.0, listen: float = 2.0, **address: str
) -> Rehearsal:
    """A session that waits for its wake word."""
    config = Config(
        activation=ActivationSettings(
            mode="wake",
            follow_up_seconds=follow_up,
            earcons="off",
            **address,  # type: ignore[arg-type]
        ),
        wake=WakeSettings(listen_seconds=listen),
    )
    show = Rehearsal(answer, config)
    show.wake_detector = ScriptedWakeDetector(show.book, CALL)
    return show


def asked(show: Rehearsal) -> list[str]:
    return [event.text for event in show.all(ev.FinalTranscript)]


def states(show: Rehearsal) -> list[str]:
    """Activated and deactivated, in their order."""
    kinds = (ev.Activated, ev.Deactivated)
    return [type(event).__name__.lower() for event in show.events if isinstance(event, kinds)]


def test_asleep_nobody_is_heard() -> None:
    """Without the wake word nothing that is said becomes a turn."""
    show = rehearsal()
    show.hear((0.5, "what is the capital of france", 1.5), (4.0, "hello there", 1.0))
    show.run()
    assert show.all(ev.TurnStarted) == []


def test_a_question_in_one_breath_with_the_wake_word_is_answered_without_it() -> None:
    """What follows the wake word is the question, whole, and the wake word is no part of it."""
    show = rehearsal()
    show.hear((0.5, CALL, 0.7), (1.2, "what time is it", 1.2))
    show.run()
    assert asked(show) == ["what time is it"]
    assert show.heard == ["All right."]


@pytest.mark.parametrize("pause", [0.05, 0.15, 0.3, 0.6, 1.5])
def test_the_pause_after_the_wake_word_may_have_any_length(pause: float) -> None:
    """Short or long, the first word after it is not lost."""
    show = rehearsal()
    show.hear((0.5, CALL, 0.7), (1.2 + pause, "what time is it", 1.0))
    show.run()
    assert asked(show) == ["what time is it"]


def test_the_wake_word_alone_opens_the_ears_for_a_while() -> None:
    """It listens for as long as is set, and is asleep again after that."""
    show = rehearsal(listen=2.0)
    show.hear((0.5, CALL, 0.7), (5.0, "what time is it", 1.2))
    show.run()
    assert asked(show) == []
    assert states(show) == ["activated", "deactivated"]
    woke, slept = show.all(ev.Activated)[0].t, show.all(ev.Deactivated)[0].t
    assert slept - woke == pytest.approx(2.0, abs=0.1)


def test_after_a_reply_it_stays_open_for_a_follow_up() -> None:
    """A second question needs no wake word; when none comes it sleeps, counted from the reply."""
    show = rehearsal(follow_up=3.0)
    show.hear((0.5, CALL, 0.7), (1.2, "what time is it", 1.2), (6.0, "and in tokyo", 1.0))
    show.hear((12.0, "nobody hears this", 1.0))
    show.run()
    assert asked(show) == ["what time is it", "and in tokyo"]
    assert states(show) == ["activated", "deactivated"]
    last = show.all(ev.TurnCompleted)[-1].t
    assert show.all(ev.Deactivated)[0].t - last == pytest.approx(3.0, abs=0.1)


def test_without_follow_ups_every_question_needs_the_wake_word() -> None:
    """With zero seconds it is asleep as soon as it has answered."""
    show = rehearsal(follow_up=0.0)
    show.hear((0.5, CALL, 0.7), (1.2, "what time is it", 1.2), (6.0, "and in tokyo", 1.0))
    show.run()
    assert asked(show) == ["what time is it"]


def test_asleep_only_the_wake_word_is_listened_for() -> None:
    """Neither the detector of speech nor the recognizer runs before the wake word."""
    seen: list[int] = []

    class Counting(LoudnessDetector):
        def probability(self, samples: Samples) -> float:
            seen.append(len(samples))
            return super().probability(samples)

    show = rehearsal()
    show.detector = Counting
    show.hear((0.5, "what is the capital of france", 1.5))
    show.run()
    assert isinstance(show.wake_detector, ScriptedWakeDetector)
    assert show.wake_detector.frames > 60
    assert seen == []
    assert show.all(ev.TranscriptionStarted) == []


def test_the_wake_word_stops_a_reply_and_what_follows_is_answered() -> None:
    """Also where nothing else may interrupt."""
    show = rehearsal(LONG, interrupt="wake")
    show.hear((0.5, CALL, 0.7), (1.2, "tell me a story", 1.2), (5.0, CALL, 0.7), (5.7, "stop", 0.5))
    show.run()
    assert asked(show) == ["tell me a story", "stop"]
    assert [e.reason for e in show.all(ev.TurnCancelled)] == ["barge_in"]
    assert len(show.heard[0]) < len(LONG)


@pytest.mark.parametrize(("interrupt", "cancelled"), [("speech", 1), ("wake", 0)])
def test_whether_other_speech_stops_a_reply_is_a_setting(interrupt: str, cancelled: int) -> None:
    """Speech does while it is awake, unless only the wake word may."""
    show = rehearsal(LONG, interrupt=interrupt)
    show.hear((0.5, CALL, 0.7), (1.2, "tell me a story", 1.2), (5.0, "wait a moment", 0.7))
    show.run()
    stopped = [e.turn for e in show.all(ev.TurnCancelled) if e.reason == "barge_in"]
    assert stopped == [0] * cancelled


def test_in_the_middle_of_a_question_the_wake_word_changes_nothing() -> None:
    """Said once more while it listens, it is left out of what is asked."""
    show = rehearsal()
    show.hear((0.5, CALL, 0.7), (1.6, CALL, 0.7), (2.3, "what time is it", 1.2))
    show.run()
    assert asked(show) == ["what time is it"]


def test_a_muted_microphone_hears_no_wake_word() -> None:
    """Muting puts it to sleep."""
    show = rehearsal(listen=20.0)
    show.hear((0.5, CALL, 0.7), (3.0, CALL, 0.7), (3.7, "what time is it", 1.2))
    show.at(3.0, lambda assistant: assistant.mute(True))
    show.at(7.0, lambda assistant: assistant.mute(False))
    show.run()
    assert asked(show) == []
    assert states(show) == ["activated", "deactivated"]


def test_the_key_is_another_way_to_wake_it() -> None:
    """While it is held everything is meant for it, and a follow-up is heard."""
    show = rehearsal()
    show.hear((0.5, "one two", 0.8), (3.5, "three four", 0.8))
    show.at(1.2, lambda assistant: assistant.talk(True))
    show.at(2.6, lambda assistant: assistant.talk(False))
    show.run()
    assert asked(show) == ["one two", "three four"]
    assert [event.by for event in show.all(ev.Activated)] == ["key"]


def test_with_push_to_talk_it_listens_only_while_the_key_is_on() -> None:
    """What is said before and after is nobody's."""
    show = Rehearsal("Yes.", Config(activation=ActivationSettings(mode="push", earcons="off")))
    show.hear((0.5, "not for you", 0.8), (3.0, "one two", 0.8), (6.0, "nor this", 0.8))
    show.at(3.9, lambda assistant: assistant.talk(True))
    show.at(5.3, lambda assistant: assistant.talk(False))
    show.run()
    assert asked(show) == ["one two"]
    assert states(show) == ["activated", "deactivated"]


def test_a_key_that_is_never_let_go_ends_at_the_longest_utterance() -> None:
    """A release that got lost does not leave the microphone on for good."""
    config = Config(activation=ActivationSettings(mode="push", earcons="off"))
    show = Rehearsal("Yes.", config)
    show.hear((0.5, "one two", 0.8), (70.0, "three", 0.8))
    show.at(1.2, lambda assistant: assistant.talk(True))
    show.run()
    assert asked(show) == ["one two"]
    assert show.all(ev.SpeechEnded)[0].t < 62.0


def test_a_wake_word_that_is_all_that_was_read_asks_nothing() -> None:
    """A recognizer that still hears the name in it does not make a question of it."""
    show = rehearsal()
    show.hear((0.5, CALL, 0.7), (1.6, "jarvis", 0.6))
    show.run()
    assert show.all(ev.FinalTranscript) == []
    assert show.heard == []


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Hey Jarvis, what time is it?", "what time is it?"),
        ("Hey, Jarvis. What time is it?", "What time is it?"),
        ("A Jarvis, stop.", "stop."),
        ("Page-Jorvis how far is the moon?", "how far is the moon?"),
        ("Jarvis.", ""),
        ("Hey Jervis", ""),
        ("What time is it, Jarvis?", "What time is it, Jarvis?"),
        ("Tell me a story.", "Tell me a story."),
        ("Hey there, how are you?", "Hey there, how are you?"),
        ("", ""),
    ],
)
def test_the_wake_word_is_left_out_of_what_was_read(text: str, rest: str) -> None:
    """However a recognizer writes it, at the beginning and nowhere else."""
    assert without_wake_word(text, "hey jarvis") == rest


def test_what_came_before_the_wake_word_is_no_part_of_the_question() -> None:
    """In one breath with it, the wake word may stand behind the end of another sentence."""
    text = "see you then. Hey Jarvis, what time is it?"
    assert without_wake_word(text, "hey jarvis", within=True) == "what time is it?"


def test_the_gate_counts_samples_from_the_end_of_the_wake_word() -> None:
    """It is open until as many samples have passed as are set, and not one frame more."""
    gate = Activation(ActivationSettings(mode="wake"), WakeSettings(listen_seconds=1.0))
    frames = range(0, 3 * CAPTURE_RATE, FRAME_SAMPLES)
    gate.called(CAPTURE_RATE)
    heard = [i for i in frames if gate.step(i, held=False, hearing=False, answering=False)]
    assert max(heard) < 2 * CAPTURE_RATE <= max(heard) + FRAME_SAMPLES


def test_doubtful_language_does_not_matter() -> None:
    """The wake word is left out whatever language was recognized."""
    show = rehearsal()
    show.config = Config(
        activation=show.config.activation, wake=show.config.wake, stt=SttSettings(language="auto")
    )
    show.hear((0.5, CALL, 0.7), (1.2, "what time is it", 1.2))
    show.run()
    assert asked(show) == ["what time is it"]


def test_earcons_are_heard_and_are_no_part_of_a_reply() -> None:
    """Called alone, it answers with a tone; the reply that follows begins with its own first sound,
    and is remembered whole."""
    plain, chiming = rehearsal(), rehearsal()
    chiming.config = Config(
        activation=ActivationSettings(mode="wake", follow_up_seconds=3.0, earcons="on"),
        wake=WakeSettings(listen_seconds=2.0),
    )
    told = []
    for show in (plain, chiming):
        show.hear((0.5, CALL, 0.7), (2.5, "what time is it", 1.0))
        show.run()
        assert show.heard == ["All right."]
        told.append([(e.clause, e.at, e.audible_at) for e in show.all(ev.PlaybackStarted)])
    assert told[0] == told[1]
    # The same times, but more samples had been heard before.
    assert plain.player.samples_played() < chiming.player.samples_played()


def test_it_says_a_word_when_it_is_called_alone_and_none_in_one_breath() -> None:
    """The voice says it ahead of time; a question that follows at once is not spoken into."""
    heard = []
    for pause in (0.0, 1.3):
        show = rehearsal()
        show.config = Config(
            activation=show.config.activation, wake=WakeSettings(listen_seconds=2.0, reply="Yes?")
        )
        show.hear((0.5, CALL, 0.7), (1.2 + pause, "what time is it", 1.0))
        show.run()
        assert asked(show) == ["what time is it"]
        assert show.heard == ["All right."]
        heard.append(show.player.samples_played())
    assert heard[1] > heard[0]


def test_earcons_are_quiet_and_do_not_click() -> None:
    """Some 10 dB below speech, and from and to silence."""
    for kind in NOTES:
        sound = earcon(kind).samples
        loud = LOUD_FACTOR if kind in LOUD else 1.0
        assert 0.02 < float(np.abs(sound).max()) <= PEAK * loud
        assert max(abs(sound[0]), abs(sound[-1])) < 1e-4
        assert kind in LOUD or earcon(kind).seconds < 0.5
