"""Devices come and go, and the conversation stays."""

from __future__ import annotations

import numpy as np

from edgevoice import events as ev
from edgevoice.audio import FRAME_SAMPLES
from edgevoice.devices.converted import Converted
from edgevoice.devices.resilient_loudspeaker import ABANDON_REPLY_AFTER, ResilientLoudspeaker
from edgevoice.devices.resilient_loudspeaker import OutputDevice as Real
from edgevoice.devices.resilient_microphone import ResilientMicrophone
from edgevoice.player import Player
from edgevoice.settings import ActivationSettings, Config
from edgevoice.testing.virtual import VirtualClock
from tests.plugs import Desk, Ear, Mouth, Plugged

MICROPHONE, SPEAKER = "built-in microphone", "built-in speaker"
REPLY = "It is a very long story, which I shall tell you now from its beginning to its very end."


def lost_and_found(name: str) -> list[tuple[str, str]]:
    return [("lost", name), ("found", name)]


def whole_reply() -> np.ndarray:
    """What is played when nothing goes wrong."""
    show = Plugged(REPLY)
    show.speech(2.0, "tell me", 1.0)
    show.hold(20.0)
    return show.played


def test_a_microphone_that_comes_back_is_listened_to_in_the_same_conversation() -> None:
    """Pulled out and plugged in again: told, and what is said two seconds later is answered."""
    show = Plugged("Fine.")
    show.speech(2.0, "first", 1.0)
    show.then(8.0, lambda: show.desk.pull_out(MICROPHONE))
    show.then(14.0, lambda: show.desk.plug_in(MICROPHONE))
    show.speech(10.0, "unheard", 1.0)
    show.speech(16.0, "second", 1.0)
    show.hold(24.0)
    assert show.told == lost_and_found(MICROPHONE)
    assert show.asked == ["first", "second"]
    assert show.heard == ["Fine.", "Fine."]


def test_while_the_microphone_is_away_a_typed_question_is_answered() -> None:
    """Only hearing is lost."""
    show = Plugged("Fine.")
    show.then(3.0, lambda: show.desk.pull_out(MICROPHONE))
    show.at(5.0, lambda assistant: assistant.say("typed"))
    show.hold(10.0)
    assert show.asked == ["typed"]
    assert show.heard == ["Fine."]


def test_half_a_question_is_not_answered() -> None:
    """The microphone goes in the middle of a sentence: what was said of it is dropped."""
    show = Plugged()
    show.speech(2.0, "transfer one hundred to my sister and then some more", 4.0)
    show.then(4.0, lambda: show.desk.pull_out(MICROPHONE))
    show.then(7.0, lambda: show.desk.plug_in(MICROPHONE))
    show.speech(12.0, "hello", 1.0)
    show.hold(20.0)
    first = show.all(ev.TurnCancelled)[0]
    assert (first.reason, first.detail) == ("interrupted", "the microphone was away")
    assert "transfer" not in "".join(show.asked)
    assert show.asked[-1] == "hello"


def test_a_question_that_was_asked_is_answered_though_the_microphone_goes_in_the_pause() -> None:
    """The last word had been said."""
    show = Plugged()
    show.speech(2.0, "how are you?", 1.0)
    show.then(3.3, lambda: show.desk.pull_out(MICROPHONE))
    show.hold(10.0)
    assert show.asked == ["how are you?"]


def test_a_reply_goes_on_where_it_was_heard_last() -> None:
    """Every sample is heard once, half of them after the speaker was plugged in again."""
    show = Plugged(REPLY)
    show.speech(2.0, "tell me", 1.0)
    show.then(5.0, lambda: show.desk.pull_out(SPEAKER))
    show.then(9.0, lambda: show.desk.plug_in(SPEAKER))
    show.hold(30.0)
    assert show.told == lost_and_found(SPEAKER)
    assert show.heard == [REPLY]
    assert len(show.mouths) == 2
    assert all(len(mouth.let_out) for mouth in show.mouths)
    np.testing.assert_array_equal(show.played, whole_reply())


def test_a_reply_that_nobody_can_hear_for_long_is_given_up() -> None:
    """The history holds what was heard, and the next question is answered aloud."""
    show = Plugged(REPLY)
    show.speech(2.0, "tell me", 1.0)
    show.then(5.0, lambda: show.desk.pull_out(SPEAKER))
    show.then(8.0 + ABANDON_REPLY_AFTER, lambda: show.desk.plug_in(SPEAKER))
    show.speech(10.0 + ABANDON_REPLY_AFTER, "again", 1.0)
    show.hold(40.0)
    first, second = show.all(ev.TurnCompleted)
    assert first.interrupted
    assert first.heard
    assert REPLY.startswith(first.heard)
    assert first.heard != REPLY
    assert second.heard == REPLY
    assert show.assistant.history.messages[2].text == first.heard


def test_a_reply_made_while_there_is_no_speaker_is_not_kept_for_later() -> None:
    """Nobody is startled by an answer to what they asked a minute ago."""
    show = Plugged(REPLY)
    show.then(2.0, lambda: show.desk.pull_out(SPEAKER))
    show.at(15.0, lambda assistant: assistant.say("typed"))
    show.then(20.0, lambda: show.desk.plug_in(SPEAKER))
    show.hold(30.0)
    assert show.heard == [""]
    assert not len(show.mouths[-1].given)


def test_the_default_stands_in_for_a_device_until_that_is_back() -> None:
    """Who unplugs a headset goes on with the laptop's own microphone."""
    show = Plugged("Fine.", input="headset")
    show.then(3.0, lambda: show.desk.pull_out("headset"))
    show.speech(6.0, "first", 1.0)
    show.then(12.0, lambda: show.desk.plug_in("headset"))
    show.speech(15.0, "second", 1.0)
    show.hold(22.0)
    assert show.told == [("lost", "headset"), ("found", MICROPHONE), ("found", "headset")]
    assert show.asked == ["first", "second"]


def test_nobody_is_interrupted_for_a_better_device() -> None:
    """The headset comes back in the middle of a sentence: it is used after that."""
    show = Plugged("Fine.", input="headset")
    show.then(3.0, lambda: show.desk.pull_out("headset"))
    show.then(7.0, lambda: show.desk.plug_in("headset"))
    show.speech(6.0, "one two three four five six", 8.0)
    show.hold(25.0)
    assert show.asked == ["one two three four five six"]
    assert show.told[-1] == ("found", "headset")


def test_a_device_for_which_nothing_may_stand_in_is_waited_for() -> None:
    """A kiosk hears with its own microphone or not at all."""
    show = Plugged("Fine.", input="headset", fallback=False)
    show.then(3.0, lambda: show.desk.pull_out("headset"))
    show.speech(6.0, "first", 1.0)
    show.then(12.0, lambda: show.desk.plug_in("headset"))
    show.speech(15.0, "second", 1.0)
    show.hold(22.0)
    assert show.told == lost_and_found("headset")
    assert show.asked == ["second"]


def test_where_no_device_is_named_the_systems_default_is_followed() -> None:
    """Another speaker is made the default: the next reply comes from that one."""
    show = Plugged("Fine.")
    show.desk.plug_in("monitor")

    def change() -> None:
        show.desk.default["output"] = "monitor"

    show.then(3.0, change)
    show.speech(6.0, "first", 1.0)
    show.hold(12.0)
    assert show.told == [("found", "monitor")]
    assert show.mouths[-1].name == "monitor"
    assert len(show.mouths[-1].let_out)


def test_a_device_that_another_program_takes_is_had_again_without_disturbing_the_other_one() -> (
    None
):
    """The microphone is taken and given back: the speaker is not even closed."""
    show = Plugged(REPLY)
    show.speech(2.0, "tell me", 1.0)
    show.then(4.0, lambda: show.desk.taken.add(MICROPHONE))
    show.then(9.0, lambda: show.desk.taken.clear())
    show.speech(14.0, "thank you", 1.0)
    show.hold(24.0)
    assert show.told == lost_and_found(MICROPHONE)
    assert len(show.mouths) == 1
    assert show.asked == ["tell me", "thank you"]


def test_a_device_whose_callbacks_do_not_come_yet_is_not_told_to_be_back() -> None:
    """An open stream is not a working one."""
    show = Plugged("Fine.")
    show.then(3.0, lambda: show.desk.pull_out(MICROPHONE))
    show.then(4.0, lambda: show.desk.mute.add(MICROPHONE))
    show.then(5.0, lambda: show.desk.plug_in(MICROPHONE))
    show.hold(9.0)
    assert show.told == [("lost", MICROPHONE)]
    assert show.desk.opened.count(MICROPHONE) == 2


def test_after_a_sleep_devices_are_opened_again_and_half_a_question_is_dropped() -> None:
    """The lid was closed in the middle of a sentence; nothing else takes that for a timeout."""
    show = Plugged("Fine.")
    show.speech(2.0, "remind me tomorrow morning to feed the cat", 4.0)

    def sleep() -> None:
        show.desk.asleep += 8 * 3600

    def wake() -> None:
        show.desk.hush()
        show.speech(10.0, "hello", 1.0)

    show.then(4.0, sleep)
    show.then(4.3, wake)
    show.hold(20.0)
    assert show.desk.opened.count(MICROPHONE) == show.desk.opened.count(SPEAKER) == 2
    assert "remind" not in "".join(show.asked)
    assert show.asked[-1] == "hello"
    assert show.told == []


def test_the_rest_of_a_reply_is_not_spoken_after_a_sleep() -> None:
    """It ends where it was heard last."""
    show = Plugged(REPLY)
    show.speech(2.0, "tell me", 1.0)

    def sleep() -> None:
        show.desk.asleep += 8 * 3600

    show.then(5.0, sleep)
    show.hold(20.0)
    [turn] = show.all(ev.TurnCompleted)
    assert turn.interrupted
    assert REPLY.startswith(turn.heard)
    assert not len(show.mouths[-1].let_out)


def test_frames_are_numbered_on_and_their_times_stay_true() -> None:
    """Across a loss and a return, a frame's time is the time at which it was heard."""
    clock = VirtualClock()
    desk = Desk(clock)
    microphone = ResilientMicrophone(clock, "", True, lambda wanted: Ear(desk, wanted))
    microphone.fill()
    last = -FRAME_SAMPLES
    jumps = 0
    for step in range(300):
        if step == 100:
            clock.sleep(0.7)
            microphone.empty()
        if step == 200:
            microphone.fill()
        frame = microphone.read()
        assert frame is not None
        assert frame.index >= last + FRAME_SAMPLES
        jumps += frame.index > last + FRAME_SAMPLES
        last = frame.index
        heard = microphone.time_of(frame.index + FRAME_SAMPLES)
        assert abs(heard - clock.now()) < 1e-6
    assert jumps == 2


def test_closing_ends_a_wait_for_a_device_at_once() -> None:
    """Nobody who leaves waits for a microphone or a speaker that never comes."""
    show = Plugged(REPLY)
    show.then(2.0, lambda: show.desk.pull_out(MICROPHONE))
    show.then(2.0, lambda: show.desk.pull_out(SPEAKER))
    show.at(3.0, lambda assistant: assistant.say("typed"))
    show.hold(6.0)
    assert isinstance(show.events[-1], ev.SessionEnded)
    assert show.clock.now() < 7.0


def test_speakers_of_another_rate_go_on_with_the_same_reply() -> None:
    """Half a second at 16 kHz is heard to its end on a speaker that takes 44.1 kHz only."""
    clock = VirtualClock()
    desk = Desk(clock)
    made: list[Mouth] = []

    def open(wanted: str) -> Real:
        made.append(Mouth(desk, wanted, 44_100 if made else 16_000))
        return Converted(made[-1], 16_000) if len(made) > 1 else made[-1]

    speaker = ResilientLoudspeaker(clock, "", True, open, 16_000)
    player = Player(clock, speaker)
    speaker.fill()
    tone = np.sin(np.arange(8000) / 5).astype(np.float32)
    player.write(tone)
    clock.sleep(0.2)
    assert player.samples_played() == 3200
    speaker.empty()
    clock.sleep(1.0)
    assert player.samples_played() == 3200
    speaker.fill()
    clock.sleep(0.1)
    assert abs(player.samples_played() - 4800) <= 2
    clock.sleep(0.3)
    player.samples_played()
    clock.sleep(0.1)
    assert player.samples_played() == 8000
    clock.sleep(0.1)
    player.samples_played()
    seconds = len(made[0].let_out) / 16_000 + len(made[1].let_out) / 44_100
    assert abs(seconds - 0.5) < 0.001


def test_a_muted_microphone_is_closed_and_opened_again_for_what_is_said_next() -> None:
    """Muting takes the device itself away: nothing is lost by it, nothing found, nothing told."""
    show = Plugged("Fine.")
    there: dict[float, bool] = {}
    show.speech(2.0, "first", 1.0)
    show.at(8.0, lambda assistant: assistant.mute(True))
    show.then(9.0, lambda: there.update({9.0: show.microphone.present}))
    show.speech(10.0, "unheard", 1.0)
    show.then(13.9, lambda: there.update({13.9: show.microphone.present}))
    show.at(14.0, lambda assistant: assistant.mute(False))
    show.then(14.5, lambda: there.update({14.5: show.microphone.present}))
    show.speech(15.0, "second", 1.0)
    show.hold(22.0)
    assert there == {9.0: False, 13.9: False, 14.5: True}
    assert show.desk.opened.count(MICROPHONE) == 2
    assert show.asked == ["first", "second"]
    assert show.told == []
    started = show.all(ev.SpeechStarted)[-1].at
    assert abs(started - 15.0) < 0.05


def test_a_microphone_that_cannot_be_opened_after_muting_is_told_of() -> None:
    """It was pulled out meanwhile: nobody is told while muted, and then they are."""
    show = Plugged("Fine.")
    show.at(3.0, lambda assistant: assistant.mute(True))
    show.then(4.0, lambda: show.desk.pull_out(MICROPHONE))
    show.at(8.0, lambda assistant: assistant.mute(False))
    show.then(12.0, lambda: show.desk.plug_in(MICROPHONE))
    show.speech(15.0, "hello", 1.0)
    show.hold(20.0)
    assert show.told == lost_and_found(MICROPHONE)
    lost = next(event for event in show.events if isinstance(event, ev.DeviceLost))
    assert lost.t >= 8.0
    assert show.asked == ["hello"]


def test_with_push_to_talk_the_microphone_may_be_closed_between_presses() -> None:
    """It is opened for what is said, and what is said once it is open is heard."""
    show = Plugged("Fine.")
    show.config = Config(
        activation=ActivationSettings(mode="push", earcons="off", close_between=True)
    )
    there: list[bool] = []
    show.then(2.0, lambda: there.append(show.microphone.present))
    show.at(3.0, lambda assistant: assistant.talk(True))
    show.then(3.5, lambda: there.append(show.microphone.present))
    show.speech(3.6, "hello", 1.0)
    show.at(5.0, lambda assistant: assistant.talk(False))
    show.then(8.0, lambda: there.append(show.microphone.present))
    show.hold(10.0)
    assert there == [False, True, False]
    assert show.asked == ["hello"]
    assert show.told == []
