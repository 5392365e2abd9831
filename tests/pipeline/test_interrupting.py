"""Speaking into a reply on virtual time: what ends it, what pauses it, and where it goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from edgevoice import events as ev
from edgevoice.assistant import Assistant
from edgevoice.audio import Audio, Mark, Samples
from edgevoice.devices.simulated import SimulatedSink
from edgevoice.player import DUCKED_LEVEL
from edgevoice.protocols import Cancelled, ChatMessage, Transcript
from edgevoice.settings import Config, SttSettings, TurnSettings
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)
from edgevoice.turn_taking.playback_control import MAX_REPEATED_SECONDS

STORY = (
    "Once there was a king who had three sons. The eldest was strong, the second was clever, and"
    " the youngest was kind. One day the king called them all to his room."
)
RATE = 16_000
NOISES = {
    "cough": Transcript("Thank you.", no_speech=0.8, logprob=-1.2),
    "door": Transcript("", no_speech=0.9, logprob=-0.2),
    "humming": Transcript("Emma Chen", no_speech=0.87, logprob=-0.75),
    "typing": Transcript("[typing]", logprob=-0.3),
}


class Tape:
    """Keeps what was heard."""

    def __init__(self) -> None:
        self.blocks: list[Samples] = []

    def write(self, samples: Samples) -> None:
        self.blocks.append(samples.copy())

    def close(self) -> None:
        return None

    @property
    def sound(self) -> Samples:
        return np.concatenate(self.blocks)

    def quiet(self, start: float, stop: float) -> bool:
        """Whether nothing was heard from `start` to `stop` seconds."""
        return not self.sound[int(start * RATE) : int(stop * RATE)].any()


def story(
    *spoken: tuple[float, str, float], slow: float = 0.0, **turn: object
) -> tuple[Rehearsal, Tape]:
    """Somebody asks for a story, which is heard from 2.5 to 12 s, and says more at these times."""
    config = Config(turn=TurnSettings(**turn))  # type: ignore[arg-type]
    show, tape = Rehearsal(STORY, config), Tape()
    show.sink = SimulatedSink(show.clock, RATE, "tape", tape)
    cost = slow or 0.1
    show.recognizer = ScriptedRecognizer(show.clock, show.book, cost, results=dict(NOISES))
    show.hear((0.5, "tell me a story", 1.0), *spoken)
    return show, tape


def reasons(show: Rehearsal) -> list[tuple[int, str]]:
    return [(e.turn, e.reason) for e in show.all(ev.TurnCancelled)]


def said(messages: list[ChatMessage]) -> list[tuple[str, str]]:
    return [(m.role, m.text) for m in messages if m.role != "system"]


@pytest.mark.parametrize(
    "noise", ["cough", "door", "typing", "humming", "mhm", "yeah okay", "ha ha ha"]
)
def test_a_cough_and_a_mhm_pause_the_reply_and_it_goes_on_where_it_was(noise: str) -> None:
    """Nothing of the reply is lost, nothing is answered, and nothing of it is remembered."""
    show, tape = story((5.0, noise, 0.4))
    show.run()
    assert [reason for _, reason in reasons(show)] in (["no_speech"], ["backchannel"])
    assert show.heard == [STORY]
    assert said(show.assistant.history.messages) == [
        ("user", "tell me a story"),
        ("assistant", STORY),
    ]
    (held,) = show.all(ev.PlaybackPaused)
    (resumed,) = show.all(ev.PlaybackResumed)
    assert (held.turn, held.by) == (0, 1)
    assert resumed.held
    assert tape.quiet(held.at + 0.02, resumed.t - 0.02)
    whole = sum(e.seconds for e in show.all(ev.SynthesisEnded))
    begun, ended = show.all(ev.PlaybackStarted)[0].at, show.all(ev.PlaybackEnded)[0].at
    again = ended - begun - whole - (resumed.t - held.at)
    # No sample of it is lost, and the word that it paused in is heard from its beginning.
    assert -0.02 <= again <= MAX_REPEATED_SECONDS


def test_a_reply_goes_on_from_the_beginning_of_the_word_it_paused_in() -> None:
    """Half a word said before the pause is said again; what was heard is not counted twice."""
    show, tape = story((5.0, "mhm", 0.4))
    show.synthesizer = Counting(show.clock)
    show.run()
    (held,) = show.all(ev.PlaybackPaused)
    (resumed,) = show.all(ev.PlaybackResumed)
    word = tape.sound[int((held.at - 0.02) * RATE)] / DUCKED_LEVEL
    sound = tape.sound[int(resumed.t * RATE) :]
    assert word == round(word) >= 2
    assert sound[int(0.02 * RATE)] == word
    # All of it, but for the fade.
    assert np.count_nonzero(sound == word) >= (Counting.WORD - 0.02) * RATE
    assert show.heard == [STORY]


class Counting(ScriptedSynthesizer):
    """Each sample is the number of its word; every word lasts as long."""

    WORD = 0.5

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        length = int(self.WORD * self.rate)
        found = list(re.finditer(r"\S+", text))
        samples = np.repeat(np.arange(2, len(found) + 2, dtype=np.float32), length)
        marks = tuple(
            Mark(word.start(), word.end(), n * length, (n + 1) * length)
            for n, word in enumerate(found)
        )
        yield Audio(samples, self.rate, marks=marks)


def test_sound_that_ends_before_it_can_be_a_word_only_makes_the_reply_quieter() -> None:
    """A click is no turn at all; the reply is as loud as before soon after."""
    show, tape = story((5.0, "click", 0.15))
    show.run()
    assert len(show.all(ev.TurnStarted)) == 1
    (ducked,) = show.all(ev.PlaybackDucked)
    (resumed,) = show.all(ev.PlaybackResumed)
    assert not resumed.held
    loud = np.abs(tape.sound)
    assert loud[int((ducked.t + 0.05) * RATE) : int(resumed.t * RATE)].max() < 0.2
    assert loud[int((resumed.t + 0.05) * RATE) : int((resumed.t + 1.0) * RATE)].max() > 0.4
    assert show.heard == [STORY]


def test_a_short_first_word_belongs_to_what_follows_it() -> None:
    """It is too short for a turn of its own; what begins behind it is read with it."""
    show, _ = story((5.0, "stop", 0.16), (5.375, "the music", 0.8))
    show.run()
    question, interruption = (event.at for event in show.all(ev.SpeechStarted))
    assert interruption - question == pytest.approx(4.5, abs=0.04)
    assert show.all(ev.FinalTranscript)[-1].text == "stop the music"


def test_what_was_heard_long_before_does_not() -> None:
    """A click, silence, and then a question: the turn begins with the question."""
    show, _ = story((5.0, "stop", 0.16), (5.625, "the music", 0.8))
    show.run()
    question, interruption = (event.at for event in show.all(ev.SpeechStarted))
    assert interruption - question == pytest.approx(5.125, abs=0.04)


def test_words_end_the_reply_and_are_answered() -> None:
    """A real interruption pauses the reply at once, ends it as soon as it is read, and is asked."""
    show, tape = story((5.0, "no tell me about the queen", 1.5))
    show.run()
    assert reasons(show) == [(0, "barge_in")]
    assert show.all(ev.PlaybackResumed) == []
    (held,) = show.all(ev.PlaybackPaused)
    # A frame of 32 ms before anything is known of it, and the voiced time that is asked for.
    spoken = show.all(ev.SpeechStarted)[1].at
    assert held.t - spoken <= 0.256 + 0.04
    assert show.all(ev.TurnCancelled)[0].t < spoken + 1.5
    assert tape.quiet(held.at + 0.02, spoken + 1.5)
    first, second = show.all(ev.TurnCompleted)
    assert first.interrupted
    assert STORY.startswith(first.heard)
    assert second.heard == STORY
    assert show.all(ev.FinalTranscript)[-1].text == "no tell me about the queen"


@pytest.mark.parametrize("command", ["stop", "okay stop please", "wait a minute", "be quiet"])
def test_being_told_to_stop_ends_the_reply_and_silence_follows(command: str) -> None:
    """The command stops it for good, is not answered, and is not in the next prompt."""
    show, tape = story((5.0, command, 0.6), (12.0, "what is the time", 1.0))
    show.run()
    assert reasons(show) == [(0, "barge_in"), (1, "stop_command")]
    held = show.all(ev.PlaybackPaused)[0]
    assert tape.quiet(held.at + 0.02, 12.5)
    assert [m for m in said(show.assistant.history.messages) if command in m[1]] == []
    assert [e.turn for e in show.all(ev.PlaybackStarted)][-1] == 2


def test_a_command_that_only_begins_with_stop_is_answered() -> None:
    """ "Stop the music" is a wish, not a request for silence."""
    show, _ = story((5.0, "stop the music in the kitchen", 1.2))
    show.run()
    assert reasons(show) == [(0, "barge_in")]
    assert show.heard[-1] == STORY


def test_an_answer_to_an_interruption_is_no_later_for_the_doubt() -> None:
    """The response time is the one of the same words said when nobody speaks."""

    def response_time(show: Rehearsal) -> float:
        show.run()
        ended = show.all(ev.SpeechEnded)[-1].at
        answer = show.all(ev.TurnStarted)[-1].turn
        return next(e.audible_at for e in show.all(ev.PlaybackStarted) if e.turn == answer) - ended

    for words, seconds in (("no", 0.35), ("tell me about the queen", 1.5)):
        interrupting, _ = story((5.0, words, seconds))
        asking, _ = story((25.0, words, seconds))
        assert response_time(interrupting) <= response_time(asking) + 0.04


def test_a_reply_is_not_written_on_once_the_interruption_is_read() -> None:
    """The language model is free for the next question while that is still being asked."""
    show, _ = story((5.0, "no tell me about the queen instead of this", 3.0))
    show.slm = ScriptedLanguageModel(show.clock, lambda _: STORY * 8, token=0.03)
    show.run()
    spoken = show.all(ev.SpeechStarted)[1].at
    assert max(e.t for e in show.all(ev.TokenGenerated) if e.turn == 0) < spoken + 1.3
    begun = [e.t for e in show.all(ev.PrefillProgress) if e.turn > 0]
    assert begun[0] < spoken + 3.0


def test_a_voice_that_goes_on_is_an_interruption_before_a_word_of_it_is_read() -> None:
    """A recognizer that is slow, or speaks no such language, keeps nobody from interrupting."""
    show, _ = story((5.0, "foreign words that take a while to be read", 3.0), slow=4.0)
    show.run()
    (cancelled,) = show.all(ev.TurnCancelled)
    assert cancelled.reason == "barge_in"
    spoken = show.all(ev.SpeechStarted)[-1].at
    assert cancelled.t - spoken == pytest.approx(1.2, abs=0.1)


def test_what_is_read_too_late_of_half_a_sentence_counts_for_the_whole() -> None:
    """A pause begins a turn anew; words that were read of the first half end the reply still."""
    show, _ = story((5.0, "no", 0.5), (5.75, "tell me more of the queen", 0.75), slow=0.45)
    show.run()
    assert [e.turn for e in show.all(ev.TurnCancelled) if e.reason == "barge_in"] == [0]
    assert show.all(ev.FinalTranscript)[-1].text == "no tell me more of the queen"


def test_a_reply_goes_on_while_a_slow_recognizer_still_reads() -> None:
    """It is not kept waiting for long, and ends when words are found after all."""
    show, _ = story((4.0, "now this", 0.5), slow=3.5)
    show.run()
    resumed, cancelled = show.all(ev.PlaybackResumed)[0], show.all(ev.TurnCancelled)[0]
    assert resumed.held
    assert (cancelled.turn, cancelled.reason) == (0, "barge_in")
    assert resumed.t < cancelled.t


def test_a_noise_that_goes_on_does_not_end_the_reply() -> None:
    """What has been read, and was nothing, is not taken for a voice; it is given up in the end."""
    show, _ = story((4.0, "typing", 6.0))
    show.run()
    assert "barge_in" not in [reason for _, reason in reasons(show)]
    assert show.heard == [STORY]


def test_who_goes_on_after_a_mhm_interrupts() -> None:
    """The reply goes on after the first, and gives way to the second."""
    show, _ = story((5.0, "mhm", 0.4), (6.5, "but what about the queen", 1.2))
    show.run()
    assert reasons(show) == [(1, "backchannel"), (0, "barge_in")]
    assert show.all(ev.TurnCompleted)[0].interrupted


def test_a_question_that_begins_with_yeah_is_a_question() -> None:
    """Said in one go, or after a pause that is not long enough to be sure."""
    for spoken in (
        [(5.0, "yeah but what about the queen", 1.6)],
        [(5.0, "yeah", 0.4), (5.5, "but what about the queen", 1.2)],
    ):
        show, _ = story(*spoken)
        show.run()
        assert reasons(show)[-1] == (0, "barge_in")
        assert "but what about the queen" in show.all(ev.FinalTranscript)[-1].text


def test_a_reply_that_has_ended_meanwhile_leaves_the_speaker_free() -> None:
    """A cough at its very end holds nothing back from the next answer."""
    probe, _ = story()
    probe.run()
    end = probe.all(ev.PlaybackEnded)[0].at
    for before in (0.5, 0.3, 0.27, 0.2, 0.1):
        show, _ = story((end - before, "cough", 0.4), (end + 4.0, "and then", 0.8))
        show.run()
        assert show.heard == [STORY, STORY]


COMMANDS = {
    "muted": lambda assistant: assistant.mute(True),
    "typed": lambda assistant: assistant.say("what is the time"),
    "key": lambda assistant: assistant.interrupt(),
    "new": lambda assistant: assistant.new_conversation(),
    "talk": lambda assistant: assistant.talk(True),
    "close": lambda assistant: assistant.close(),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_whatever_the_user_does_while_it_is_held_ends_the_hold(command: str) -> None:
    """Muting lets it go on; a key, a typed question and a new conversation end it."""
    show, _ = story((5.0, "well", 0.8), (30.0, "later", 0.5), slow=0.5)
    show.at(6.5, lambda assistant: _while_held(show, assistant, command))
    if command == "talk":
        show.at(7.2, lambda assistant: assistant.talk(False))
    if command == "muted":
        show.at(20.0, lambda assistant: assistant.mute(False))
    show.run()
    first = show.all(ev.TurnCompleted)[0] if show.all(ev.TurnCompleted) else None
    if command == "muted":
        assert first is not None
        assert (first.heard, first.interrupted) == (STORY, False)
    elif first is not None:
        assert first.interrupted
    if command not in ("close", "new"):
        assert show.heard[-1] == STORY


def _while_held(show: Rehearsal, assistant: Assistant, command: str) -> None:
    assert show.all(ev.PlaybackPaused)
    assert not show.all(ev.PlaybackResumed)
    COMMANDS[command](assistant)


def test_a_second_interruption_is_one_too() -> None:
    """Into the answer to the first one, with a cough between them."""
    show, _ = story(
        (5.0, "tell me about the queen", 1.2), (9.0, "cough", 0.4), (12.0, "and the sons", 1.0)
    )
    show.run()
    assert [r for r in reasons(show) if r[1] == "barge_in"] == [(0, "barge_in"), (1, "barge_in")]
    assert show.heard[-1] == STORY


def test_without_barge_in_nothing_makes_it_quieter() -> None:
    """Deaf while it speaks, it neither ducks nor pauses."""
    show, _ = story((5.0, "tell me about the queen", 1.2), barge_in=False)
    show.run()
    assert show.heard == [STORY]
    assert show.all(ev.PlaybackDucked) == show.all(ev.PlaybackPaused) == []


@pytest.mark.parametrize(
    ("thresholds", "paused"), [("eager", True), ("normal", True), ("careful", False)]
)
def test_the_manner_says_whether_a_mhm_pauses_it(thresholds: str, paused: bool) -> None:
    """A careful one only speaks more quietly, and still stops when it is told to."""
    show, _ = story((5.0, "mhm", 0.4), interruption=thresholds)
    show.run()
    assert bool(show.all(ev.PlaybackPaused)) is paused
    assert show.all(ev.PlaybackDucked)
    assert show.all(ev.PlaybackResumed)
    assert show.heard == [STORY]
    show, tape = story((5.0, "stop", 0.4), interruption=thresholds)
    show.run()
    assert reasons(show) == [(0, "barge_in"), (1, "stop_command")]
    assert tape.quiet(6.5, 12.0)


def test_a_manner_s_times_can_be_set_one_by_one() -> None:
    """`pause_playback_ms` alone moves the pause."""

    def held(**turn: object) -> float:
        show, _ = story((5.0, "tell me about the queen", 1.5), **turn)
        show.run()
        return show.all(ev.PlaybackPaused)[0].t - show.all(ev.SpeechStarted)[1].at

    assert held(pause_playback_ms=416) - held() == pytest.approx(0.16, abs=0.033)
    assert held(barge_in_ms=160, pause_playback_ms=160) < held()


def test_with_nothing_looked_at_on_the_way_a_cough_is_still_a_cough() -> None:
    """Where no partial text is made, the pause after it tells."""
    show, _ = story((5.0, "cough", 0.4), (15.5, "enough of it now", 0.8))
    show.config = Config(stt=SttSettings(partials=False), turn=TurnSettings(speculate=False))
    show.run()
    assert show.heard[0] == STORY


def test_interrupting_gives_the_same_trace_every_time() -> None:
    """Ducking, holding and resuming depend on nothing but the sound."""

    def trace() -> list[ev.Event]:
        return story((5.0, "mhm", 0.4), (8.0, "click", 0.15), (9.0, "about the queen", 1.2))[
            0
        ].run()

    once, again = trace(), trace()
    assert once == again
    assert all(a.t <= b.t for a, b in pairwise(once))
