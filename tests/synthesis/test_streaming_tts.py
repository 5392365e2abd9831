"""Text is spoken as it comes, outside a conversation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from edgevoice.audio import Audio, Samples
from edgevoice.devices.simulated import SimulatedSink
from edgevoice.errors import EngineError
from edgevoice.player import Player
from edgevoice.protocols import Cancelled
from edgevoice.settings import TtsSettings
from edgevoice.synthesis.streaming_tts import StreamingSpeech, sounds
from edgevoice.testing.scripted import ScriptedSynthesizer
from edgevoice.testing.virtual import VirtualClock

SETTINGS = TtsSettings()


class Tape:
    def __init__(self) -> None:
        self.samples = np.zeros(0, dtype=np.float32)

    def write(self, samples: Samples) -> None:
        self.samples = np.concatenate([self.samples, samples])

    def close(self) -> None:
        return None

    @property
    def loud(self) -> float:
        """Seconds of it that are not silence."""
        return float(np.count_nonzero(self.samples)) / 16_000


class Voice(ScriptedSynthesizer):
    """Remembers what it was given, and fails at a word."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.said: list[str] = []

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        self.said.append(text)
        if "fail" in text:
            raise EngineError("the voice failed")
        return super().synthesize(text, cancelled)


def test_everything_pushed_is_heard_before_it_ends() -> None:
    """Leaving the block waits for the last sample, and nothing is lost between the clauses."""
    clock, tape = VirtualClock(), Tape()
    voice = Voice(clock)
    sink = Player(clock, SimulatedSink(clock, 16_000, "tape", tape))
    text = "This is the first sentence. And here is another one, which is longer."
    with StreamingSpeech(voice, sink, clock, SETTINGS) as speech:
        for char in text:
            speech.push(char)
    assert " ".join(voice.said) == text
    expected = sum(len(clause) * voice.second_per_char - 0.01 for clause in voice.said)
    assert tape.loud == pytest.approx(expected, abs=0.01)
    assert clock.now() >= expected


def test_speech_begins_while_text_is_still_coming() -> None:
    """The first clause is spoken when it is complete, not when the text is."""
    clock, tape = VirtualClock(), Tape()
    sink = Player(clock, SimulatedSink(clock, 16_000, "tape", tape))
    with StreamingSpeech(Voice(clock), sink, clock, SETTINGS) as speech:
        speech.push("This is a sentence of some length. And")
        clock.sleep(5.0)
        assert sink.samples_played() > 0
        speech.push(" now the rest of it.")
    assert tape.loud > 1.0


def test_an_exception_makes_it_fall_silent_at_once() -> None:
    """Ctrl-C stops the sound with the program."""
    clock, tape = VirtualClock(), Tape()
    sink = Player(clock, SimulatedSink(clock, 16_000, "tape", tape))
    speech = StreamingSpeech(Voice(clock), sink, clock, SETTINGS).__enter__()
    speech.push("A long sentence that would take many seconds to be said. " * 5)
    clock.sleep(1.0)
    speech.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert clock.now() < 1.5
    assert tape.loud < 1.1


def test_a_voice_that_fails_ends_it_with_its_error() -> None:
    """What was said before is heard as far as it went, and the error comes out."""
    clock = VirtualClock()
    sink = Player(clock, SimulatedSink(clock, 16_000, "tape", Tape()))
    with (
        pytest.raises(EngineError, match="the voice failed"),
        StreamingSpeech(Voice(clock), sink, clock, SETTINGS) as speech,
    ):
        speech.push("This will fail here. And this is never said.")


def test_without_a_speaker_the_sound_of_a_text_is_the_same_clauses() -> None:
    """A file gets what a speaker would get."""
    voice = Voice(VirtualClock())
    made = list(sounds(iter(["Hel", "lo there. How ", "are you?"]), voice, SETTINGS))
    assert voice.said == ["Hello there.", "How are you?"]
    assert len(made) == 2
