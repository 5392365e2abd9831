"""Noise that is taken for speech: no turn hangs in it, and the user is told, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from edgevoice import events as ev
from edgevoice.audio import Samples
from edgevoice.capture.background import UNCLEAR
from edgevoice.clock import Clock
from edgevoice.protocols import Effort, Recognizer, Transcript
from edgevoice.settings import Config, SlmSettings, SttSettings, TurnSettings
from edgevoice.testing.rehearsal import Rehearsal

NOISE = "noise"
QUESTION = "What is the capital of France?"
DICTATION = " ".join(f"word{number}" for number in range(50))


class Drowned:
    """Makes something up where there is noise, as Whisper does, and hears words elsewhere."""

    def __init__(self, clock: Clock, inner: Recognizer) -> None:
        self._clock = clock
        self._inner = inner

    def transcribe(
        self,
        samples: Samples,
        effort: Effort = "final",
        languages: Mapping[str, float] | None = None,
    ) -> Transcript:
        return self.read(self._inner.transcribe(samples, effort, languages), len(samples))

    def read(self, transcript: Transcript, size: int) -> Transcript:
        """What it makes of `size` samples of which all could be understood."""
        if NOISE in transcript.text:
            return Transcript("Thank you.", no_speech=0.9, logprob=-1.4)
        return transcript


class Beside(Drowned):
    """Reads one voice among others, and nothing of the others."""

    def read(self, transcript: Transcript, size: int) -> Transcript:
        return replace(transcript, text=transcript.text.split(NOISE)[0].strip())


class Crowded(Drowned):
    """Reads another question each time."""

    def read(self, transcript: Transcript, size: int) -> Transcript:
        return replace(transcript, text=f"What is {size}?")


class Unspaced(Drowned):
    """Writes a sign for each word, as in Chinese."""

    def read(self, transcript: Transcript, size: int) -> Transcript:
        return replace(transcript, text="字" * len(transcript.text.split()))


def noisy(seconds: float, turn: TurnSettings | None = None, partials: bool = True) -> Rehearsal:
    """So many seconds of noise without a pause."""
    config = Config(
        turn=turn or TurnSettings(),
        stt=SttSettings(partials=partials),
        slm=SlmSettings(prefill_ahead=partials),
    )
    show = Rehearsal("Paris.", config)
    show.recognizer = Drowned(show.clock, show.recognizer)
    show.hear((0.2, f"{NOISE} " * int(10 * seconds), seconds))
    return show


@pytest.mark.parametrize("partials", [True, False])
def test_noise_without_a_pause_is_given_up_long_before_the_longest_utterance(
    partials: bool,
) -> None:
    """Whether or not anybody looks at what is being said: ten seconds, not sixty."""
    show = noisy(16.0, partials=partials)
    show.run()
    first = show.all(ev.TurnCancelled)[0]
    assert (first.reason, first.detail) == ("no_speech", "no intelligible word")
    assert 10.0 < first.t < 13.0
    assert not show.all(ev.TurnCommitted)


def test_it_says_once_that_it_cannot_hear_and_not_again() -> None:
    """Half a minute of noise is one notice, and one sentence aside."""
    show = noisy(35.0)
    show.run()
    assert [notice.text for notice in show.all(ev.Notice)] == [UNCLEAR]
    assert show.player.samples_played() > 0, "it was said aloud"


def test_what_is_said_after_the_noise_is_answered() -> None:
    """It has gone back to listening."""
    show = noisy(16.0)
    show.hear((0.5, QUESTION, 2.0))
    show.run()
    assert show.heard == ["Paris."]


def test_once_something_was_understood_the_next_noise_is_told_again() -> None:
    """Each time that it gets loud is news."""
    show = noisy(16.0)
    show.hear((0.5, QUESTION, 2.0))
    show.hear((12.0, f"{NOISE} " * 160, 16.0))
    show.run()
    assert len(show.all(ev.Notice)) == 2


@pytest.mark.parametrize(
    ("said", "answers", "told"), [(QUESTION, ["Paris."], 0), ("I would like the", [], 1)]
)
def test_whoever_has_said_a_sentence_is_answered_while_others_go_on(
    said: str, answers: list[str], told: int
) -> None:
    """After five seconds that brought no word, not after sixty; half a sentence is none."""
    show = Rehearsal("Paris.")
    show.recognizer = Beside(show.clock, show.recognizer)
    show.hear((0.2, f"{said} " + f"{NOISE} " * 140, 14.0))
    show.run()
    assert [e.heard for e in show.all(ev.TurnCompleted)] == answers
    assert all(e.t < 9.0 for e in show.all(ev.TurnCommitted))
    assert len(show.all(ev.Notice)) == told


def test_what_is_read_differently_each_time_is_nobody_s_question() -> None:
    """A crowd is given up, however many questions a recognizer makes out of it."""
    show = Rehearsal("Paris.")
    show.recognizer = Crowded(show.clock, show.recognizer)
    show.hear((0.2, f"{NOISE} " * 140, 14.0))
    show.run()
    assert show.all(ev.TurnCompleted) == []
    assert len(show.all(ev.Notice)) == 1


def test_a_long_dictation_is_not_cut() -> None:
    """Twenty seconds without a pause, in which new words keep coming."""
    show = Rehearsal("Paris.")
    show.hear((0.2, DICTATION, 20.0))
    show.run()
    assert not show.all(ev.Notice)
    [asked] = [e.text for e in show.all(ev.FinalTranscript)]
    assert asked == DICTATION


def test_a_language_without_spaces_has_words_too() -> None:
    """Whoever dictates in it for long is followed like anybody else."""
    show = Rehearsal("好。")
    show.recognizer = Unspaced(show.clock, show.recognizer)
    show.hear((0.2, DICTATION, 16.0))
    show.run()
    assert not show.all(ev.Notice)
    [asked] = [e.text for e in show.all(ev.FinalTranscript)]
    assert asked == "字" * len(DICTATION.split())


def test_the_limit_can_be_switched_off() -> None:
    """turn.unclear_seconds = 0: only the longest utterance ends it."""
    show = noisy(16.0, TurnSettings(unclear_seconds=0.0))
    show.run()
    assert not show.all(ev.Notice)
