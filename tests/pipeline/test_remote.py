"""A conversation over a phone on the network: by its own counts, late, in disorder, with losses."""

from __future__ import annotations

import numpy as np
import pytest

from edgevoice import events as ev
from edgevoice.assistant import Assistant
from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Samples
from edgevoice.devices.remote import JITTER, MAX_CONCEALED, ClientClock, RemoteSource
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import ScriptedRecognizer
from edgevoice.testing.virtual import VirtualClock
from tests.pipeline.test_interrupting import NOISES, STORY, Counting, reasons, said
from tests.remote import Phone

RATE = 16_000
SLOW = 0.25
"""Seconds within which a phone on a slow network does what the assistant wants."""


def call(*spoken: tuple[float, str, float], loss: float, seconds: float) -> tuple[Rehearsal, Phone]:
    """Somebody says these things into a phone, at these times."""
    show = Rehearsal(STORY)
    show.synthesizer = Counting(show.clock)
    show.recognizer = ScriptedRecognizer(show.clock, show.book, results=dict(NOISES))
    phone = Phone(show.clock, RATE, RATE // 100, delay=0.03, jitter=0.05, loss=loss)
    phone.said = np.zeros(int(seconds * CAPTURE_RATE), dtype=np.float32)
    for time, text, length in spoken:
        speech = show.book.speech(text, length)
        phone.said[int(time * CAPTURE_RATE) :][: len(speech)] = speech
    show.source, show.sink = lambda idle: phone.source, phone.sink
    show.at(seconds, Assistant.close)
    show.run()
    return show, phone


@pytest.mark.parametrize("loss", [0.0, 0.03])
def test_a_conversation_with_interruptions_is_held_over_a_network(loss: float) -> None:
    """A cough pauses the reply, words end it and are answered; the history has what was heard."""
    show, phone = call(
        (1.0, "tell me a story", 1.0),
        (6.0, "cough", 0.4),
        (9.5, "no tell me about the queen", 1.5),
        loss=loss,
        seconds=40.0,
    )
    assert reasons(show) == [(1, "no_speech"), (0, "barge_in")]
    first, second = show.all(ev.TurnCompleted)
    assert first.interrupted
    assert STORY.startswith(first.heard)
    assert second.heard == STORY
    assert said(show.assistant.history.messages) == [
        ("user", "tell me a story"),
        ("assistant", first.heard),
        ("user", "no tell me about the queen"),
        ("assistant", STORY),
    ]
    coughed, stopped = show.all(ev.PlaybackPaused)
    (resumed,) = (e for e in show.all(ev.PlaybackResumed) if e.held)
    begun = show.all(ev.PlaybackStarted)[0].at
    second_begun = next(e.at for e in show.all(ev.PlaybackStarted) if e.turn == second.turn)
    # Silence soon after each interruption, and sound soon after the pause.
    assert not phone.heard(coughed.t + SLOW, resumed.t).any()
    assert phone.heard(resumed.t + SLOW, resumed.t + 2 * SLOW).any()
    assert not phone.heard(stopped.t + SLOW, second_begun).any()
    # What is remembered as heard is what left the phone, to the word that was cut off and the
    # one that was repeated after the cough.
    seconds = Counting.WORD * len(first.heard.split())
    played = np.count_nonzero(phone.heard(begun, stopped.t + SLOW)) / RATE
    assert abs(played - seconds) < 2 * Counting.WORD


def test_a_reply_over_a_network_is_heard_whole() -> None:
    """Every sample of it, once, and when the assistant says that it was."""
    show, phone = call((1.0, "tell me a story", 1.0), loss=0.0, seconds=30.0)
    begun, ended = show.all(ev.PlaybackStarted)[0].at, show.all(ev.PlaybackEnded)[0].at
    sound = phone.heard(begun, ended)
    assert show.heard == [STORY]
    assert sound[0] > 0
    assert sound[-1] > 0
    assert np.count_nonzero(sound) == len(STORY.split()) * Counting.WORD * RATE
    assert not phone.heard(ended, 30.0).any()


class Sender:
    """Sends numbered samples to a source, as a phone does."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.source = RemoteSource(self.clock, ClientClock(), "phone")

    def send(self, first: int, count: int, late: float = 0.0) -> None:
        """Send samples `late` seconds after the last of them was recorded."""
        self.clock.sleep((first + count) / CAPTURE_RATE + late - self.clock.now())
        self.source.received(first, np.arange(first, first + count, dtype=np.float32))

    def frames(self, count: int) -> list[tuple[int, Samples]]:
        found = []
        for _ in range(count):
            frame = self.source.read()
            assert frame is not None
            found.append((frame.index, frame.samples))
        return found


def test_sound_that_arrives_out_of_order_is_put_in_order() -> None:
    """Twice or too late, it changes nothing."""
    sender = Sender()
    for first in (0, 640, 320, 320, 1280, 960, 0, 1600):
        sender.send(first, 320)
    for number, (index, samples) in enumerate(sender.frames(3)):
        assert index == number * FRAME_SAMPLES
        assert samples.tolist() == list(range(index, index + FRAME_SAMPLES))
    assert sender.source.overruns() == 0


def test_a_short_loss_is_silence_and_is_counted() -> None:
    """The sound after it is where it was said."""
    sender = Sender()
    lost = 320
    sender.send(0, 400)
    for first in range(400 + lost, 4000, 320):
        sender.send(first, 320)
    sound = np.concatenate([samples for _, samples in sender.frames(4)])
    assert not sound[400 : 400 + lost].any()
    assert sound[400 + lost :].tolist() == list(range(400 + lost, len(sound)))
    assert sender.source.overruns() == lost


def test_sound_does_not_go_on_after_a_long_loss() -> None:
    """The frame after it says so by its number."""
    sender = Sender()
    away = int(2 * MAX_CONCEALED * CAPTURE_RATE)
    sender.send(0, 700)
    for first in range(away, away + 4000, 320):
        sender.send(first, 320)
    (first, _), (second, samples) = sender.frames(2)
    assert (first, second) == (0, away)
    assert samples.tolist() == list(range(away, away + FRAME_SAMPLES))


def test_missing_sound_is_waited_for_only_so_long() -> None:
    """Until enough of what follows it is there."""
    sender = Sender()
    sender.send(0, FRAME_SAMPLES)
    sender.frames(1)
    missing = 320

    def sending() -> None:
        for first in range(FRAME_SAMPLES + missing, 6000, 160):
            sender.send(first, 160)

    sender.clock.spawn(sending, "sending")
    sender.frames(1)
    waited = sender.clock.now() - (FRAME_SAMPLES + missing) / CAPTURE_RATE
    assert waited == pytest.approx(JITTER, abs=0.011)


def test_times_are_those_of_the_client_however_late_its_messages_come() -> None:
    """The earliest message tells how the clocks relate."""
    sender = Sender()
    for number in range(20):
        sender.send(number * 320, 320, late=0.01 + 0.008 * (number % 3 != 1))
    assert sender.source.time_of(1600) == pytest.approx(0.1 + 0.01)


def test_a_phone_that_hangs_up_ends_the_sound() -> None:
    """Who waits for more is told that there is none."""
    sender = Sender()

    def hang_up() -> None:
        sender.clock.sleep(1.0)
        sender.source.close()

    sender.clock.spawn(hang_up, "hang up")
    assert sender.source.read() is None


def test_a_muted_phone_is_silence_in_real_time() -> None:
    """Frames go on, and nothing that is said is in them."""
    sender = Sender()
    sender.source.mute(True)
    for first in range(0, 1600, 320):
        sender.send(first, 320)
    assert [(index, samples.any()) for index, samples in sender.frames(2)] == [
        (0, False),
        (FRAME_SAMPLES, False),
    ]
