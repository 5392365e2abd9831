"""What a voice is given, what is heard of it, and what is learnt from it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from edgevoice.agent.speech_rate import CLAUSE_BASE_SECONDS, SpeechRate
from edgevoice.audio import Audio
from edgevoice.protocols import Cancelled
from edgevoice.settings import TtsSettings
from edgevoice.synthesis.synthesis_timing import TimedSynthesis
from edgevoice.testing.virtual import VirtualClock

RATE = 1000


class Voice:
    """Says everything in three pieces of one second, silent for 0.2 s at both ends."""

    rate = RATE

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.given: list[str] = []

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        self.given.append(text)
        sound = np.full(3 * RATE, 0.5, dtype=np.float32)
        sound[:200] = sound[-200:] = 0.0
        for piece in range(3):
            self._clock.sleep(0.1)
            if cancelled():
                return
            yield Audio(sound[piece * RATE : (piece + 1) * RATE], RATE, (2 - piece) * RATE)


def deliver(
    spoken: str, *, first: bool, shorten: bool = True
) -> tuple[Voice, SpeechRate, list[Audio]]:
    clock, rate = VirtualClock(), SpeechRate()
    voice = Voice(clock)
    delivery = TimedSynthesis(voice, TtsSettings(shorten_silence=shorten), rate, clock.now)
    return voice, rate, list(delivery.sound(spoken, lambda: False, first=first))


def test_a_first_clause_that_goes_on_begins_at_once_and_ends_at_once() -> None:
    """Silence is cut at both ends, and the voice is told that more follows."""
    voice, _, heard = deliver("The capital of France", first=True)
    assert voice.given == ["The capital of France,"]
    assert [len(audio.samples) for audio in heard] == [805, 1000, 815]


def test_a_sentence_within_a_reply_is_said_as_the_voice_says_it() -> None:
    """Between sentences the voice's own silence is the right one."""
    voice, _, heard = deliver("It is Paris.", first=False)
    assert voice.given == ["It is Paris."]
    assert sum(len(audio.samples) for audio in heard) == 3 * RATE


def test_with_the_setting_off_nothing_is_changed() -> None:
    """Text and sound pass through as they are."""
    voice, _, heard = deliver("The capital of France", first=True, shorten=False)
    assert voice.given == ["The capital of France"]
    assert sum(len(audio.samples) for audio in heard) == 3 * RATE


def test_what_was_said_is_learnt_from() -> None:
    """How long the first sound took, and how long the words were heard, become the rates."""
    before = SpeechRate()
    _, rate, heard = deliver("x" * 60, first=False)
    seconds = sum(audio.seconds for audio in heard)
    assert (seconds - CLAUSE_BASE_SECONDS) / 60 < rate.saying < before.saying
    assert rate.beginning(60) < before.beginning(60)


def test_a_clause_that_was_broken_off_teaches_nothing() -> None:
    """Half a clause is no measure of the whole."""
    clock, rate = VirtualClock(), SpeechRate()
    stopped = False
    delivery = TimedSynthesis(Voice(clock), TtsSettings(), rate, clock.now)
    sound = delivery.sound("x" * 60, lambda: stopped, first=False)
    next(sound)
    stopped = True
    assert list(sound) == []
    assert rate.saying == pytest.approx(SpeechRate().saying)


class Uneven:
    """Says everything in two pieces, `lengths` seconds long, each after `delays` seconds."""

    rate = RATE

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.lengths = [0.1, 1.0]
        self.delays = [0.05, 0.05]

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        left = round(sum(self.lengths) * RATE)
        for length, delay in zip(self.lengths, self.delays, strict=True):
            self._clock.sleep(delay)
            left -= round(length * RATE)
            yield Audio(np.full(round(length * RATE), 0.5, dtype=np.float32), RATE, left)


def uneven() -> tuple[Uneven, TimedSynthesis]:
    clock = VirtualClock()
    voice = Uneven(clock)
    return voice, TimedSynthesis(voice, TtsSettings(shorten_silence=False), SpeechRate(), clock.now)


def lengths(delivery: TimedSynthesis, *, first: bool) -> list[int]:
    return [len(a.samples) for a in delivery.sound("one two", lambda: False, first=first)]


def test_a_beginning_that_would_be_over_too_soon_waits_for_the_next_piece() -> None:
    """Where the second piece took longer lately than the first one lasts, both come at once."""
    voice, delivery = uneven()
    voice.delays = [0.05, 0.3]
    lengths(delivery, first=True)
    assert lengths(delivery, first=True) == [1100]
    assert lengths(delivery, first=False) == [100, 1000], "something is heard before it"
    voice.lengths = [0.5, 1.0]
    assert lengths(delivery, first=True) == [500, 1000], "long enough by itself"


def test_a_beginning_must_last_for_what_the_speaker_takes_at_once_as_well() -> None:
    """A tenth of a second is too short where the next piece takes most of that."""
    voice, delivery = uneven()
    voice.delays = [0.05, 0.07]
    heard = [lengths(delivery, first=True) for _ in range(8)]
    assert heard[-1] == [1100]


def test_where_pieces_come_quickly_a_short_beginning_is_let_out_at_once() -> None:
    """What is held back follows the machine: slower counts at once, faster after some replies."""
    voice, delivery = uneven()
    voice.delays = [0.05, 0.3]
    lengths(delivery, first=True)
    voice.delays = [0.05, 0.05]
    heard = [lengths(delivery, first=True) for _ in range(8)]
    assert heard[0] == [1100]
    assert heard[-1] == [100, 1000]


def test_nothing_is_lost_where_a_voice_stops_early() -> None:
    """A piece that waited for another one is heard though no other one came."""
    voice, delivery = uneven()

    def cut_short(text: str, cancelled: Cancelled) -> Iterator[Audio]:
        yield Audio(np.full(50, 0.5, dtype=np.float32), RATE, 1000)

    voice.synthesize = cut_short  # type: ignore[method-assign]
    assert lengths(delivery, first=True) == [50]
